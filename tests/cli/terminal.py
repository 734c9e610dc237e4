"""Where an operator types, over stores in memory."""

import json
from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner, Result

from service import backups
from service.app import render_nginx_files, write_nginx_files
from service.cli import Operator, vestibule
from service.login.accounts import Account
from service.services import Rehearsal, RehearsedStep, Services, Unavailable
from service.settings import Settings
from tests.rig.apps import app
from tests.rig.world import World


@dataclass
class Terminal:
    """What is kept can be looked at, and changed behind a command's back."""

    world: World = field(default_factory=lambda: World(apps=(app(),)))
    database_is_there: bool = True

    def run(self, *typed: str, stdin: str | bytes | None = None, **services: object) -> Result:
        """Run one command as a process of its own would: nothing is held from the one before."""

        def build(_settings: Settings) -> Services:
            return self.world.services(**services)

        def upgrade(_settings: Settings, _wait: int) -> str:
            if not self.database_is_there:
                raise Unavailable("the database does not answer")
            return "The tables are those of this release."

        def rehearse(_settings: Settings, _into: str | None, _say: object) -> Rehearsal:
            upgrade(_settings, 0)
            return Rehearsal("0001", "0002", (RehearsedStep("0002", 0.25, {"accounts": "SHARE"}),), {"accounts": 1})

        operator = Operator(build, upgrade, render_nginx_files, write_nginx_files, rehearse=rehearse, backups=backups)
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
