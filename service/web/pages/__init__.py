"""The pages: sign-in, account, and choosing a password by a one-time link. They never import one another."""
