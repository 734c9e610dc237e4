"""How Alembic runs the migrations of `versions/`: inside the transaction that `schema.py` opened.

A new step is a new file in `versions/`, numbered on from the last, and its number as HEAD in `schema.py`. It names
`locks`: each table that it changes, with PostgreSQL's mode. First add, in a later release remove, with
`oldest_release`: old and new replicas run side by side. On SQLite use `op.batch_alter_table`.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
