"""Whether a database is ours, whole, and of this release; how it becomes so, and copies of it."""
