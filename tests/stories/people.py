"""Who lives in the house that the stories share, and how it is filled."""

import csv
import io
import json
from typing import Final

from argon2 import PasswordHasher

from service.access.judged_set import to_json
from service.settings.apps_in_force import FILE
from tests.rig.apps import app
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers

THIRD_PASSWORD: Final = "nobody folds maps of the harbour"
WRONG: Final = "That username and password do not match."

# An account that a story changes belongs to that story alone.
PEOPLE: Final = {
    "anna": {"name": "Anna Example", "email": "anna@example.org", "groups": "admins staff", "admin": "yes"},
    "bruno": {"name": "Bruno Example"},
    "clara": {"name": "Clara Example"},
    "erik": {"name": "Erik Example"},
}


def move_in(servers: Servers) -> None:
    """Make all accounts, which all have PASSWORD, hashed with the default parameters; put two apps in force."""
    password_hash = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1).hash(PASSWORD)
    sheet = io.StringIO()
    table = csv.DictWriter(sheet, ["username", "name", "email", "groups", "admin", "password_hash"])
    table.writeheader()
    table.writerows({"username": name, "password_hash": password_hash} | facts for name, facts in PEOPLE.items())
    file = servers.state_dir / "people.csv"
    file.write_text(sheet.getvalue())
    done = servers.vestibule("account", "import", str(file))
    assert done.returncode == 0, done.stderr
    apps = [app("files"), app("calendar", title="Team calendar")]
    (servers.nginx_dir / FILE).write_text(to_json(apps))


def link(servers: Servers, *command: str) -> str:
    """Run a command of the operator's that prints a one-time link; return it."""
    done = servers.vestibule(*command, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["url"])


def order(servers: Servers, *command: str) -> str:
    """Run a command of the operator's that must succeed; return what it printed."""
    done = servers.vestibule(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout
