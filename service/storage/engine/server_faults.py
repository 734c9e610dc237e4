"""What PostgreSQL's refusals, and those of PgBouncer before it, mean, and what an operator types."""

import re
from typing import Final

import psycopg
import sqlalchemy as sa

_UPGRADE: Final = "the database lacks tables of this release: type `vestibule db upgrade`"
_GRANT: Final = (
    "the database user {user} may not make tables in the schema {schema}: the owner of the database {database} types "
    "GRANT USAGE, CREATE ON SCHEMA {schema} TO {user};"
)
_NO_SCHEMA: Final = (
    "the search_path of the database user {user} names no schema that is there and that the user may use: for the "
    "schema public, the owner of the database types ALTER ROLE {user} IN DATABASE {database} SET search_path = public; "
    "GRANT USAGE, CREATE ON SCHEMA public TO {user};"
)
_BY_STATE: Final = {"42P01": _UPGRADE, "42703": _UPGRADE, "42501": _GRANT, "3F000": _NO_SCHEMA}
# A refused connection has no SQLSTATE, only words: PostgreSQL's, or PgBouncer's.
_BY_WORDS: Final = {
    r"authentication failed|no password supplied": (
        "the database server refuses the user {user} or the password: correct them in {named}"
    ),
    r'role "[^"]*" does not exist|no such user': (
        "the database server knows no user {user}: correct {named}, or make the user with "
        "CREATE ROLE {user} LOGIN PASSWORD …;"
    ),
    r'database "[^"]*" does not exist|no such database': (
        "the database server has no database {database}: correct {named}, or make it with "
        "CREATE DATABASE {database} OWNER {user} ENCODING 'UTF8' TEMPLATE template0;"
    ),
    r"permission denied for database": (
        "the database user {user} may not connect: the owner of the database types "
        "GRANT CONNECT ON DATABASE {database} TO {user};"
    ),
    r"permission denied for (?:table|sequence)": (
        "the database user {user} may not use the tables: their owner types "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user};"
    ),
    r"must be owner of": (
        "the tables belong to another database user than {user}, who may not change them: give the address of their "
        "owner in {named}, and type `vestibule db upgrade`"
    ),
    r"statement pooling": (
        "PgBouncer pools statements, and Vestibule needs transactions: set pool_mode = transaction for {database}"
    ),
}


def is_leaving(failure: psycopg.Error) -> bool:
    """Whether the server, or the pooler, stops or crashed: it is about to close its connections, if it has not yet."""
    return (failure.sqlstate or "").startswith(("57P", "08"))


def remedy(failure: BaseException, address: sa.URL, named: str) -> str | None:
    """Return what is wrong and what to type; None for a failure that passes by itself. Never with the password.

    `named` says where the address was given.
    """
    said = str(failure)
    text = next((text for words, text in _BY_WORDS.items() if re.search(words, said)), None)
    if text is None and isinstance(failure, psycopg.Error):
        text = _BY_STATE.get(failure.sqlstate or "")
    if text is None:
        return None
    schema = re.search(r"permission denied for schema (\S+)", said)
    return text.format(
        user=f'"{address.username}"' if address.username else "of this process",
        database=f'"{address.database}"',
        schema=schema[1] if schema else "public",
        named=named,
    )
