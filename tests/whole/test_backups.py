"""A backup of a service that is running, and the way back, as docs/operating.md says."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.bench.load import PROBE
from tests.rig.accounts import add
from tests.rig.answer import Answer
from tests.rig.directories import server_directory
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, prepared

OLD_LIBRARY = 'raise ImportError("the library of Python itself, which keeps a rollback journal")\n'


@pytest.fixture(params=["log", "rollback journal"])
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """A running service that knows alice, with each journal."""
    with server_directory("library", mode=0o755) as library, prepared(workers=2) as servers:
        if request.param != "log":
            (library / "pysqlite3.py").write_text(OLD_LIBRARY)
            servers.environ["PYTHONPATH"] = str(library)
        add(servers, {"alice": {}})
        servers.start()
        yield servers


def signed_in(servers: Servers, username: str) -> Answer:
    """Sign in."""
    form = urlencode({"username": username, "password": PASSWORD})
    kind = "application/x-www-form-urlencoded"
    return servers.get("/", method="POST", body=form.encode(), Content_Type=kind, Cookie=PROBE, Origin=servers.origin)


def done(servers: Servers, *words: str, typed: str = "", code: int = 0) -> str:
    """Type a command; return what it says."""
    ended = servers.vestibule(*words, typed=typed)
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr


def test_a_backup_and_the_way_back(servers: Servers) -> None:
    """Made while people are in; refused over the running service; afterwards accounts of then, and nobody is in."""
    cookie = signed_in(servers, "alice").all("set-cookie")[0].partition(";")[0]
    done(servers, "db", "backup")
    (made,) = (servers.state_dir / "db-backups").iterdir()
    done(servers, "account", "add", "bob", "--password-stdin", typed=f"{PASSWORD}\n")
    assert servers.get("/account", Cookie=cookie).status == 200

    assert "the service runs, and answers on" in done(servers, "db", "restore", str(made), "--yes", code=1)
    hidden = servers.socket.rename(servers.socket.with_suffix(".hidden"))
    assert "is in use by the process" in done(servers, "db", "restore", str(made), "--yes", code=1)
    hidden.rename(servers.socket)

    servers.stop()
    said = done(servers, "db", "restore", str(made), "--yes")
    servers.start()
    assert "Sessions that ended: 1;" in said
    assert servers.get("/account", Cookie=cookie).status == 303
    assert signed_in(servers, "alice").status == 303
    assert signed_in(servers, "bob").status == 401
