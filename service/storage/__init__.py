"""Rows: the only SQL of the service.

Each file owns its tables and the queries on them; rows become the rules' records before they leave. The
same statements run on SQLite (`sqlite.py`) and PostgreSQL (`postgresql.py`); whatever makes a store
unreachable leaves as `service.services.Unavailable`.

    database.py            which engine, statements, transactions
    accounts.py sessions.py links.py    the stores of the rules
    counters.py            the outer limits' counters: SQL, or Redis with SQL behind it
    schema.py backup.py migrations/     is the database ours, and of this release
    private.py             files that only their owner may read
"""
