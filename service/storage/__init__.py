"""Rows: the only SQL of the service.

Each file owns its tables and the queries on them; rows become the rules' records before they leave. The
same statements run on SQLite (`sqlite.py`) and PostgreSQL (`postgresql.py`); whatever makes a store
unreachable leaves as `service.services.Unavailable`.

    database.py            which engine, statements, transactions
    accounts.py sessions.py links.py audit.py blocks.py    the stores of the rules; stores.py has all of them
    attempts.py redis_attempts.py      who tried a password: in SQL, or in Redis with SQL behind it
    counters.py redis_counters.py      the outer limits' counters, likewise
    counter_file.py        SQLite's file for both; notes.py writes to the trail what may wait a second
    schema.py backup.py migrations/     is the database ours, and of this release
    private.py             files that only their owner may read
"""
