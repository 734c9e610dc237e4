"""`vestibule rules …`: the apps with their rules, and what is decided, step by step."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from service.services import Unavailable
from tests.cli.terminal import Terminal
from tests.house_rules.project import read
from tests.rig.people import NOW, alice

WIKI = """\
address = "http://localhost:3000"
upstream = "http://wiki:3000"
title = "Our wiki"
[[rules]]
path = "/admin"
networks = ["192.0.2.0/24"]
groups = ["staff", "ops"]
[[rules]]
path = "/admin"
users = ["bob"]
fresh = "10m"
[[rules]]
path = "/hook"
methods = ["POST"]
allow = "everyone"
[[rules]]
groups = ["ops"]
report_only = true
[[rules]]
allow = "signed-in"
"""


@pytest.fixture(autouse=True)
def wiki(terminal: Terminal, tmp_path: Path) -> Path:
    """Return the file of an app, whose visitor alice belongs to staff."""
    terminal.world.rows.accounts["a1"] = alice(groups=("staff",))
    (tmp_path / "apps.d").mkdir()
    (file := tmp_path / "apps.d/wiki.toml").write_text(WIKI)
    return file


def test_apps_and_rules_are_listed(terminal: Terminal) -> None:
    """One line for each app and each of its rules, in the order of the file."""
    assert terminal.said("rules", "list").splitlines() == [
        "wiki  http://localhost:3000  to http://wiki:3000  (Our wiki)",
        "   1  /admin 192.0.2.0/24: group staff or group ops",
        "   2  /admin: user bob, signed in within 10m",
        "   3  /hook POST: everyone",
        "   4  /: group ops (report only)",
        "   5  /: signed-in",
    ]


def test_what_an_app_asks_for_besides_is_listed(terminal: Terminal, wiki: Path) -> None:
    """What is not usual, in a line below the app's."""
    head, rules = "app_passwords = true\nown_sessions = true\n", '[headers]\nuser = "X-User"\n'
    wiki.write_text(f"{head}{WIKI}{rules}")

    assert terminal.said("rules", "list").splitlines()[1] == "      app_passwords, own_sessions, user in X-User"
    (app,) = terminal.json("rules", "list")
    assert (app["app_passwords"], app["preflight"], app["headers"]["user"]) == (True, False, "X-User")


def test_apps_are_listed_in_json(terminal: Terminal) -> None:
    """Everything that their files hold."""
    (app,) = terminal.json("rules", "list")

    assert (app["name"], app["address"], app["upstream"]) == ("wiki", "http://localhost:3000", "http://wiki:3000")
    assert app["rules"][0]["networks"] == ["192.0.2.0/24"]
    assert [(rule["allow"], rule["report_only"]) for rule in app["rules"][3:]] == [(None, True), ("signed-in", False)]


def test_without_apps_the_directory_is_named(terminal: Terminal, wiki: Path) -> None:
    """On standard error; standard output has a line for each app and none here."""
    wiki.unlink()

    shown = terminal.run("rules", "list")

    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr == f"There are no apps in {wiki.parent}: each is a file NAME.toml.\n"


def test_a_refusal_is_explained(terminal: Terminal) -> None:
    """The app, the account, the path group, each rule that was passed over, the rule that decides, the verdict."""
    shown = terminal.run("rules", "check", "http://localhost:3000/admin/x?y=1#z", "--as", "Alice")

    assert shown.exit_code == 1
    assert shown.stdout.splitlines() == [
        "app         wiki (http://localhost:3000)",
        "account     alice (groups: staff)",
        "path group  /admin",
        "rule 1      is for clients in other networks: /admin 192.0.2.0/24: group staff or group ops",
        "rule 2      decides: /admin: user bob, signed in within 10m",
        "verdict     refused: the rule does not admit this account",
    ]


def test_what_rules_that_only_report_would_decide_is_explained(terminal: Terminal) -> None:
    """Below what holds, which alone gives the exit code."""
    said = terminal.said("rules", "check", "http://localhost:3000", "--as", "alice").splitlines()

    assert said[3:5] == ["rule 5      decides: /: signed-in", "verdict     allowed"]
    assert said[6:] == [
        "If the rules that only report were in force:",
        "path group  /",
        "rule 4      decides: /: group ops (report only)",
        "verdict     refused: the rule does not admit this account",
    ]


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        (("/admin", "--as", "alice", "--address", "192.0.2.7"), "allowed"),
        (("/admin", "--as", "alice", "--address", "::ffff:192.0.2.7"), "allowed"),
        (("/hook", "--method", "post"), "allowed"),
        (("/hook", "--method", "PUT", "--as", "alice"), "no-rule"),
        (("/page",), "sign-in"),
        (("/page\u00e9 x", "--as", "alice"), "allowed"),
        (("/ADMIN", "--as", "alice"), "no-rule"),
        (("/x/../admin", "--as", "alice", "--address", "192.0.2.7"), "no-rule"),
    ],
)
def test_the_exit_code_is_the_verdict(terminal: Terminal, typed: tuple[str, ...], outcome: str) -> None:
    """0 when the request is allowed, 1 when it is refused, in words and in JSON."""
    path, *options = typed
    shown = terminal.run("rules", "check", f"http://localhost:3000{path}", *options, "--json")
    said: dict[str, Any] = json.loads(shown.stdout)

    assert (shown.exit_code, said["allowed"], said["outcome"]) == (
        int(outcome != "allowed"),
        outcome == "allowed",
        outcome,
    )
    assert terminal.run("rules", "check", f"http://localhost:3000{path}", *options).exit_code == shown.exit_code


def test_every_step_is_in_json(terminal: Terminal) -> None:
    """The path group, whether the path is doubtful, what was passed over and why, and what reporting rules would do."""
    said = json.loads(terminal.run("rules", "check", "http://localhost:3000/admin", "--json").stdout)

    assert (said["app"], said["path"], said["path_group"], said["doubtful"]) == ("wiki", "/admin", "/admin", False)
    assert (said["passed_over"], said["rule"]) == ([{"rule": 1, "misfit": "network"}], 2)
    assert said["proposed"]["outcome"] == "sign-in"


def test_a_doubtful_path_is_explained(terminal: Terminal) -> None:
    """It is said that each path group counts, and which one is the strictest."""
    said = terminal.run("rules", "check", "http://localhost:3000//x", "--as", "alice").stdout

    assert "path group  the path is doubtful, so that each group counts; the strictest is /hook\n" in said
    assert "rule 3      is for other methods: /hook POST: everyone\nverdict     refused: no rule is for" in said


def test_a_path_that_no_rule_covers_is_explained(terminal: Terminal, wiki: Path) -> None:
    """And refused."""
    wiki.write_text(WIKI.rpartition("[[rules]]")[0])

    shown = terminal.run("rules", "check", "http://localhost:3000/x", "--as", "alice")

    assert "path group  none: no rule covers the path\n" in shown.stdout
    assert shown.exit_code == 1


def test_an_address_of_no_app_is_refused(terminal: Terminal) -> None:
    """Also with the right host and another port."""
    shown = terminal.run("rules", "check", "http://localhost:3001/")

    assert (shown.exit_code, shown.stdout) == (1, "verdict     refused: no app has the address http://localhost:3001\n")


def test_a_disabled_account_cannot_sign_in(terminal: Terminal) -> None:
    """It is refused like a client that is not signed in, and the reason is said."""
    terminal.world.rows.accounts["a1"] = alice(disabled_at=NOW)

    said = terminal.run("rules", "check", "http://localhost:3000/", "--as", "alice").stdout

    assert "account     alice (groups: none) is disabled: it cannot sign in\n" in said
    assert "refused: the client must sign in" in said


def test_an_unknown_username_is_refused(terminal: Terminal) -> None:
    """As by every command that names an account."""
    assert "no account" in terminal.refused("rules", "check", "http://localhost:3000/", "--as", "carol")


@pytest.mark.parametrize(
    "typed", [("localhost:3000",), ("https://a b/",), ("//",), ("http://x/", "--address", "office")]
)
def test_what_is_no_url_or_address_is_usage(terminal: Terminal, typed: tuple[str, ...]) -> None:
    """With a sentence that shows what one looks like."""
    assert "is not a" in terminal.refused("rules", "check", *typed, code=2)


@pytest.mark.parametrize("verb", [("list",), ("check", "http://localhost:3000/")])
def test_faults_of_the_apps_are_named(terminal: Terminal, wiki: Path, verb: tuple[str, ...]) -> None:
    """Exit code 1, every fault, and nothing is decided by half of the apps."""
    wiki.write_text(f"colour = 'red'\nflavour = 'sweet'\n{WIKI}")

    assert len(terminal.refused("rules", *verb).splitlines()) == 2


def test_config_check_judges_the_apps(terminal: Terminal, wiki: Path) -> None:
    """Their faults stand beside those of the settings."""
    assert terminal.said("config", "check") == "The settings are in order.\n"
    wiki.write_text(f"colour = 'red'\n{WIKI}")

    assert f"colour in {wiki} is unknown" in terminal.refused("config", "check")


def test_only_an_account_needs_the_database(terminal: Terminal) -> None:
    """A check without an account works on a machine that has only the files; one of an account is unavailable (3)."""

    class Gone:
        def by_username(self, name: str) -> None:
            raise Unavailable(f"the database does not answer ({name})")

    assert terminal.run("rules", "check", "http://localhost:3000/", accounts=Gone()).exit_code == 1
    said = terminal.refused("rules", "check", "http://localhost:3000/", "--as", "alice", code=3, accounts=Gone())
    assert said.startswith("not available: the database does not answer")


def test_the_page_about_apps_is_true(terminal: Terminal, wiki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example in it is an app, and what it prints for one is what the command prints."""
    page = read("docs/apps.md")
    whole, *examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    keys, found, rules = whole.partition("[[rules]]")
    (printed,) = re.findall(r"```\n(app .*?)```", page, re.DOTALL)
    monkeypatch.setenv("VESTIBULE_PUBLIC_URL", "https://login.example.org")
    monkeypatch.setenv("VESTIBULE_SESSIONS__COOKIE_DOMAIN", "example.org")
    said = []
    for example in ("", *examples):
        wiki.write_text(keys + example + (found + rules if found not in example else ""))
        said.append(terminal.run("rules", "check", "https://wiki.example.org/admin/users", "--as", "alice").stdout)

    assert len(said) == 6
    assert all("verdict" in each for each in said)
    assert said[1] == printed
