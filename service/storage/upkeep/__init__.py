"""Whether a database is Vestibule's, undamaged and of this release; migrations to this release; copies and backups.

revision.py schema.py steps.py migrations/    what the tables are, and an upgrade of them
lock_wait.py file_locks.py server_locks.py    what an upgrade waits for, and which process or connection holds it
rehearsal.py                                  an upgrade of a copy
file_checks.py connections.py                 checks of SQLite's file, and of PostgreSQL's limit, at a start
copies.py                                     copies of SQLite from before an upgrade, of which three are kept
backups.py online_copy.py manifest.py         backups of SQLite, made while it is used
restore.py dump.py last_backup.py             one put in place; a dump of PostgreSQL; when the last was made
"""
