"""Several instances of the service behind one nginx: they share a database, Redis where there is one, and a secret key.

    with instances(database=postgres.new_database()) as it:
        it.start()
        it.replace(1, code=next_step(tmp_path))
        it.front.get("/")

Each instance is a master with its workers, and has a state directory and a socket of its own. `front` is nginx, whose
state directory holds the SQLite database where no other is given.
"""

import contextlib
import os
import secrets
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.rig.answer import Answer
from tests.rig.asking import ask_socket
from tests.rig.servers import SERVICE, Servers, prepared, state_directory


@dataclass
class Instances:
    """nginx, and the instances behind it by their numbers."""

    front: Servers
    each: list[Servers]

    def start(self) -> None:
        """Start all, and wait until each is ready. The tables are those of `db upgrade`, of this release."""
        self.front.render()
        self.start_instances()
        self.start_nginx()

    def start_instances(self) -> None:
        """Start all but nginx, and wait until each is ready."""
        assert self.upgrade() == 0
        for instance in self.each:
            instance.start_gunicorn()
        for number in range(len(self.each)):
            self.wait_until_ready(number)

    def start_nginx(self) -> None:
        """Start nginx, and wait until it reaches an instance."""
        self.front.start_nginx()
        self.front.wait_until(lambda: self.front.ops("/readyz").status == 200, "nginx answers")

    def upgrade(self, code: Path | None = None) -> int:
        """Run `db upgrade` with the code of a release; its exit code."""
        return replace(self.front, code=code or self.front.code).vestibule("db", "upgrade").returncode

    def ask(self, number: int, path: str, **headers: str) -> Answer:
        """Ask one instance, past nginx. Header names are written with underscores."""
        return ask_socket(self.each[number].socket, path, {"Host": f"localhost:{self.front.port}"} | headers)

    def is_ready(self, number: int) -> bool:
        """Whether an instance says that it should get requests."""
        with contextlib.suppress(OSError, HTTPException):
            return self.ask(number, "/readyz").status == 200
        return False

    def wait_until_ready(self, number: int) -> None:
        """Wait until an instance says so; fails with its log where it ended."""
        self.each[number].wait_until(lambda: self.is_ready(number), f"instance {number} is ready")

    def stop(self, number: int, how: signal.Signals = signal.SIGTERM) -> int:
        """End one instance; its exit code."""
        return self.each[number].end("gunicorn", how)

    def kill(self, number: int) -> None:
        """End one instance, its workers included, with no time for anything."""
        os.killpg(self.each[number].processes["gunicorn"].pid, signal.SIGKILL)
        self.stop(number, signal.SIGKILL)

    def replace(self, number: int, code: Path | None = None) -> None:
        """End one instance, start it with the code of a release, and wait until it is ready."""
        self.stop(number)
        self.each[number].code = code or self.each[number].code
        self.each[number].start_gunicorn()
        self.wait_until_ready(number)


@contextlib.contextmanager
def instances(
    count: int = 3,
    *,
    database: str | None = None,
    workers: int = 2,
    application: str = SERVICE,
    edit_nginx: Callable[[str], str] = str,
    **settings: str,
) -> Iterator[Instances]:
    """Yield instances that are not started yet, and stop what runs. The arguments are those of `prepared`."""
    with contextlib.ExitStack() as kept:
        places = [kept.enter_context(state_directory()) for _ in range(count)]
        shared = {
            "SECRET_KEY": secrets.token_hex(32),
            "SERVER__INSTANCES": ",".join(str(place / "run" / "gunicorn.sock") for place in places),
            "SERVER__DRAIN": "2s",
        }
        chosen: dict[str, Any] = {"application": application, "edit_nginx": edit_nginx} | shared | settings
        front = kept.enter_context(prepared(workers=workers, **chosen))
        address = database or f"sqlite:///{front.state_dir}/vestibule.sqlite3"
        front.environ |= {"VESTIBULE_DATABASE_URL": address, "VESTIBULE_DOOR__NGINX_DIR": str(front.nginx_dir)}
        each = [
            replace(front, state_dir=place, environ=front.environ | {"VESTIBULE_STATE_DIR": str(place)}, processes={})
            for place in places
        ]
        try:
            yield Instances(front, each)
        finally:
            for instance in each:
                instance.end("gunicorn", signal.SIGQUIT)
