"""Rows: the only SQL of the service.

Each file of this folder owns its tables and the queries on them; rows become the rules' records before they leave.
Every failure to reach a store is raised as `service.services.Unavailable`.

    accounts.py sessions.py links.py app_passwords.py blocks.py audit.py    the stores of the rules
    audit_buffer.py    entries of the audit trail that may wait a second
    engine/            which database, statements, transactions: SQLite, or PostgreSQL
    counting/          attempts and the outer limits' counters: in SQL, or in Redis with SQL behind it
    upkeep/            whether the database is Vestibule's, and of this release: schema, migrations, checks, backups
    store_state.py     what all of them say at one moment, for `vestibule status`
"""
