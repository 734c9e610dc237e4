"""Where an operator types, over stores in memory."""

import json
from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner, Result

from service import upkeep
from service.app import render_nginx_files, write_nginx_files
from service.cli import Operator, vestibule
from service.login.accounts import Account
from service.services import Services, Unavailable
from service.services.upkeep import Rehearsal, RehearsedStep
from service.settings import Settings
from tests.rig.apps import app
from tests.rig.world import World


@dataclass
class Upkeep:
    """That of a database of which only backups are real."""

    database_is_there: bool

    read_stores = staticmethod(upkeep.read_stores)
    back_up = staticmethod(upkeep.back_up)
    verify = staticmethod(upkeep.verify)
    restore = staticmethod(upkeep.restore)

    def upgrade(self, _settings: Settings, _wait: int) -> str:
        """Change nothing."""
        if not self.database_is_there:
            raise Unavailable("the database does not answer")
        return "The tables are those of this release."

    def rehearse(self, settings: Settings, _into: str | None, _say: object) -> Rehearsal:
        """Return a made-up rehearsal."""
        self.upgrade(settings, 0)
        return Rehearsal("0001", "0002", (RehearsedStep("0002", 0.25, {"accounts": "SHARE"}),), {"accounts": 1})


@dataclass
class Terminal:
    """What is kept can be looked at, and changed behind a command's back."""

    world: World = field(default_factory=lambda: World(apps=(app(),)))
    database_is_there: bool = True

    def run(self, *typed: str, stdin: str | bytes | None = None, **services: object) -> Result:
        """Run one command as a process of its own would: nothing is held from the one before."""

        def build(_settings: Settings) -> Services:
            return self.world.services(**services)

        operator = Operator(build, lambda: Upkeep(self.database_is_there), render_nginx_files, write_nginx_files)
        return CliRunner().invoke(vestibule, typed, obj=operator, input=stdin, prog_name="vestibule")

    def said(self, *typed: str, stdin: str | bytes | None = None) -> str:
        """Return what a command that works says on standard output."""
        result = self.run(*typed, stdin=stdin)
        assert (result.exit_code, result.exception) == (0, None)
        return result.stdout

    def json(self, *typed: str, stdin: str | bytes | None = None) -> Any:  # noqa: ANN401 - whatever was said
        """Return what a command that works says in JSON, and nothing else on either stream."""
        result = self.run(*typed, "--json", stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    def refused(self, *typed: str, stdin: str | bytes | None = None, code: int = 1, **services: object) -> str:
        """Return why a command refused; nothing is on standard output."""
        result = self.run(*typed, stdin=stdin, **services)
        assert (result.exit_code, result.stdout) == (code, "")
        assert "Traceback" not in result.stderr
        return result.stderr

    def account(self, username: str) -> Account:
        """Return an account as it is kept."""
        return next(a for a in self.world.rows.accounts.values() if a.username == username)
