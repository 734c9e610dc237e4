"""What is counted: attempts, and Flask-Limiter's counters; in SQL, or in Redis with SQL behind it."""
