"""The steps of `migrations/versions/`, and how Alembic runs them. Imported only when there is something to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


class Steps:
    """The steps of a folder that lead from one revision (None: no tables) to another one."""

    def __init__(self, folder: Path, before: str | None, head: str) -> None:
        self._config: Final = Config()
        self._config.set_main_option("script_location", str(folder).replace("%", "%%"))
        found = ScriptDirectory.from_config(self._config).iterate_revisions(head, before or "base")
        self._modules: Final[dict[str, Any]] = {step.revision: step.module for step in reversed([*found])}

    @property
    def revisions(self) -> list[str]:
        """The revisions that the steps lead to, in their order."""
        return [*self._modules]

    def module(self, revision: str) -> Any:  # noqa: ANN401 - a module, with what a step may name
        """Return the module of a step."""
        return self._modules[revision]

    @property
    def locks(self) -> Mapping[str, str]:
        """Each table that a step changes, and PostgreSQL's mode of the lock that the change takes.

        Where two steps change one table it is locked in the mode of all that no other statement goes beside.
        """
        found: dict[str, str] = {}
        for module in self._modules.values():
            for table, mode in getattr(module, "locks", {}).items():
                found[table] = mode if found.get(table, mode) == mode else "ACCESS EXCLUSIVE"
        return found

    def run(self, connection: sa.Connection, until: str) -> None:
        """Run the steps up to a revision inside the connection's transaction."""
        self._config.attributes["connection"] = connection
        command.upgrade(self._config, until)
