"""Which database there is, and how a statement or a transaction runs on it."""
