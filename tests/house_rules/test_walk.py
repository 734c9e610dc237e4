"""The README's walks through the code: few files, short ones, and each of them really on the way."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
from click.testing import CliRunner

from service.app import build_services, create_app, load_upkeep, render_nginx_files, write_nginx_files
from service.cli import Operator, vestibule
from service.login.accounts import Account
from service.settings import load
from tests.house_rules.project import read
from tests.rig.parts import ROOT
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW, PASSWORDS
from tests.rig.wire import ask, post

MOST_FILES: Final = 8
MOST_LINES: Final = 900


def listed(what: str = "a sign-in") -> list[str]:
    """Return the Python files that a walk of the README names, in its order."""
    (walk,) = re.findall(rf"### How {what} travels.*?(?=\n##)", read("README.md"), re.DOTALL)
    return list(dict.fromkeys(re.findall(r"\]\((service/[\w/]+\.py)\)", walk)))


@contextmanager
def traced() -> Iterator[set[str]]:
    """Collect the project's files in which a function was called meanwhile, in any thread."""
    seen: set[str] = set()

    def called(frame: FrameType, _event: str, _argument: Any) -> None:  # noqa: ANN401 - sys.setprofile's
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT):
            seen.add(str(path.relative_to(ROOT)))

    threading.setprofile(called)
    sys.setprofile(called)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@pytest.mark.parametrize("what", ["a sign-in", "`block add`", "a request for an app"])
def test_the_walk_is_short(what: str) -> None:
    """A stranger reads at most 8 Python files with at most 900 lines in all to follow one."""
    files = listed(what)

    assert 1 <= len(files) <= MOST_FILES
    assert sum(len(read(path).splitlines()) for path in files) <= MOST_LINES


def test_the_walk_is_the_way(tmp_path: Path) -> None:
    """Every file of the walk has a function that a real sign-in calls, on the real stores and the real gate."""
    services = build_services(load({"VESTIBULE_STATE_DIR": str(tmp_path)}))
    services.accounts.add(Account("a" * 32, "alice", NOW, password_hash=PASSWORDS.hash(PASSWORD)))
    app = create_app(services)

    with traced() as files:
        answer = post(app, "/", f"username=alice&password={PASSWORD.replace(' ', '+')}")

    assert answer.status == 303
    assert [path for path in listed() if path not in files] == []


def test_the_walk_of_a_request_is_the_way(tmp_path: Path) -> None:
    """Every file of that walk has a function that a yes, and the refusal after a no, really call."""
    services = build_services(load({"VESTIBULE_STATE_DIR": str(tmp_path)}))
    services.accounts.add(Account("a" * 32, "alice", NOW, password_hash=PASSWORDS.hash(PASSWORD)))
    app = create_app(services)
    signed_in = post(app, "/", f"username=alice&password={PASSWORD.replace(' ', '+')}")
    cookie = ("Cookie", signed_in.all("Set-Cookie")[0].partition(";")[0])
    asked = [("X-Original-URL", "http://localhost:8080/demo/"), ("X-Original-Method", "GET")]

    with traced() as files:
        answers = [
            ask(app, target="/auth/verify", headers=[*asked, cookie]),
            ask(app, target="/auth/forward", headers=asked),
        ]

    assert [answer.status for answer in answers] == [200, 401]
    assert [path for path in listed("a request for an app") if path not in files] == []


def test_the_walk_of_a_block_is_the_way(tmp_path: Path) -> None:
    """Every file of that walk has a function that a block, typed and then met by a client, really calls."""
    services = build_services(load({"VESTIBULE_STATE_DIR": str(tmp_path)}))
    app = create_app(services)
    operator = Operator(lambda _: services, load_upkeep, render_nginx_files, write_nginx_files)

    with traced() as files:
        typed = CliRunner().invoke(vestibule, ["block", "add", "192.0.2.0/24", "--for", "2h"], obj=operator)
        answer = ask(app)

    assert (typed.exit_code, answer.status) == (0, 403)
    assert len(listed("`block add`")) == 6
    assert [path for path in listed("`block add`") if path not in files] == []
