"""The database, SQLite or PostgreSQL, and how statements and transactions run on it."""
