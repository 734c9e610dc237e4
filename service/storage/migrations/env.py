"""How Alembic runs our steps: inside the transaction that `schema.py` opened (see CONTRIBUTING for a new step)."""

from alembic import context

from service.storage import accounts, counters, links, schema, sessions  # noqa: F401 - their tables
from service.storage.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
