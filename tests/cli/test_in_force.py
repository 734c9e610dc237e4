"""`vestibule proxy render` and `proxy diff`: what changes is said first, and a fault changes nothing."""

import json
from pathlib import Path

import pytest

from service.settings.apps_in_force import FILE, AppsInForce
from tests.cli.terminal import Terminal

WIKI = """\
address = "http://localhost:3000"
upstream = "http://wiki:3000"
[[rules]]
path = "/admin"
groups = ["ops"]
[[rules]]
allow = "signed-in"
"""
NOTES = WIKI.replace("3000", "3001")


@pytest.fixture(autouse=True)
def apps_d(tmp_path: Path, terminal: Terminal) -> Path:
    """Return the directory of an app that is in force."""
    (made := tmp_path / "apps.d").mkdir()
    (made / "wiki.toml").write_text(WIKI)
    assert terminal.run("proxy", "render").exit_code == 0
    return made


def contents(directory: Path) -> dict[Path, bytes]:
    """Return every file below a directory."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_apps_come_into_force(terminal: Terminal, tmp_path: Path, apps_d: Path) -> None:
    """Workers read the new ones; what changed is said on standard error, and the directory alone on the other."""
    (apps_d / "notes.toml").write_text(NOTES)
    in_force = tmp_path / "nginx"

    shown = terminal.run("proxy", "render")

    assert [app.name for app in AppsInForce(in_force)().apps] == ["notes", "wiki"]
    assert (shown.stdout, shown.stderr.splitlines()[0]) == (f"{in_force}\n", "app notes added")
    again = terminal.run("proxy", "render")
    assert (again.stdout, again.stderr) == (f"{in_force}\n", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("http://wiki:3000", "http://wiki:4000", "upstream changed: http://wiki:4000 (before: http://wiki:3000)"),
        (":3000", ":3002", "address changed: http://localhost:3002 (before: http://localhost:3000)"),
        ("address", "title = 'Our wiki'\naddress", "title changed: Our wiki (before: wiki)"),
        ("address", "app_passwords = true\naddress", "app_passwords changed: true (before: false)"),
        ("[[rules]]", "[headers]\nuser = 'X-User'\n[[rules]]", "headers.user changed: X-User (before: Remote-User)"),
        ('allow = "signed-in"', "users = ['bob']\nfresh = '10m'", "rule 2 added: /: user bob, signed in within 10m"),
        ('allow = "signed-in"', "users = ['bob']", "rule 2 removed: /: signed-in"),
        ('[[rules]]\nallow = "signed-in"\n', "", "rule 2 removed: /: signed-in"),
        ("[[rules]]\n", "[[rules]]\npath = '/new'\nallow = 'everyone'\n[[rules]]\n", "rule 1 added: /new: everyone"),
    ],
)
def test_each_change_is_said(terminal: Terminal, apps_d: Path, old: str, new: str, said: str) -> None:
    """With the key or the rule, what it will be, and what it is now."""
    (apps_d / "wiki.toml").write_text(WIKI.replace(old, new, 1))

    first, *others = terminal.run("proxy", "diff").stdout.splitlines()

    assert first == "app wiki changed"
    assert f"  {said}" in others


def test_only_what_changed_is_said(terminal: Terminal, apps_d: Path) -> None:
    """A rule before the others changes their numbers, and nothing that an operator must look at."""
    (apps_d / "wiki.toml").write_text(
        WIKI.replace("[[rules]]", "[[rules]]\npath = '/x'\nusers = ['bob']\n[[rules]]", 1)
    )

    assert terminal.run("proxy", "diff").stdout.splitlines()[:3] == ["app wiki changed", "  rule 1 added: /x: user bob"]


def test_the_difference_is_only_shown(terminal: Terminal, tmp_path: Path, apps_d: Path) -> None:
    """Exit codes are those of diff: 1 with differences, 0 without, 2 with a fault, which is named. Nothing changes."""
    before = contents(tmp_path / "nginx")
    (apps_d / "wiki.toml").rename(apps_d / "other.toml")

    shown = terminal.run("proxy", "diff")

    assert (shown.exit_code, shown.stderr) == (1, "")
    assert [line for line in shown.stdout.splitlines() if line.startswith("app")] == [
        "app other added",
        "app wiki removed",
    ]
    (apps_d / "other.toml").write_text("nonsense")
    faulty = terminal.run("proxy", "diff")
    assert (faulty.exit_code, faulty.stdout) == (2, "")
    assert f"{apps_d}/other.toml is not TOML" in faulty.stderr
    (apps_d / "other.toml").unlink()
    (apps_d / "wiki.toml").write_text(WIKI)
    assert terminal.said("proxy", "diff") == "What is in force is what the files say.\n"
    assert contents(tmp_path / "nginx") == before


def test_before_anything_is_in_force(terminal: Terminal, tmp_path: Path) -> None:
    """The difference is that there is nothing; the first rendering names the apps, and not each file of nginx's."""
    (tmp_path / "nginx").rename(tmp_path / "before")

    shown = terminal.run("proxy", "diff")

    apps = ["app wiki added", "  rule 1 added: /admin: group ops", "  rule 2 added: /: signed-in"]
    assert (shown.exit_code, shown.stdout.splitlines()) == (1, ["nothing is in force yet", *apps])
    assert terminal.run("proxy", "render").stderr.splitlines() == apps


def test_the_difference_is_told_to_programs(terminal: Terminal, apps_d: Path) -> None:
    """By `proxy diff` and by `proxy render` alike."""
    (apps_d / "wiki.toml").write_text(WIKI.replace("signed-in", "everyone"))

    said = json.loads(terminal.run("proxy", "diff", "--json").stdout)

    details = ["rule 2 removed: /: signed-in", "rule 2 added: /: everyone"]
    assert said["apps"] == [{"app": "wiki", "what": "changed", "details": details}]
    assert said["readable"]
    assert terminal.json("proxy", "render")["changed"] == said


def test_an_explanation_says_what_is_not_in_force(terminal: Terminal, apps_d: Path) -> None:
    """`rules check` explains the files; the door decides by what was rendered last."""
    asked = ("rules", "check", "http://localhost:3000/", "--as", "alice")
    assert (terminal.run(*asked).stderr, terminal.json(*asked)["in_force"]) == ("", True)

    (apps_d / "notes.toml").write_text(NOTES)

    assert terminal.run(*asked).stderr == "The files differ from what is in force: vestibule proxy diff\n"
    assert not terminal.json(*asked)["in_force"]


def test_files_of_nginx_that_differ_are_named(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no app does: another setting, another release, or a hand that changed one."""
    monkeypatch.setenv("VESTIBULE_TRUSTED_PROXIES", "192.0.2.0/24")
    next(tmp_path.glob("nginx/errors/404.html")).write_text("mine")

    assert terminal.run("proxy", "diff").stdout == "nginx's files that differ: errors/, trusted.conf\n"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 2, "apps": []}', '{"format": 1, "apps": [{}]}'])
def test_a_damaged_set_is_said_and_replaced(terminal: Terminal, tmp_path: Path, damage: str) -> None:
    """What is in force cannot be read: the workers keep what they have until it is rendered again."""
    (tmp_path / "nginx" / FILE).write_text(damage)

    said = terminal.run("proxy", "render").stderr

    assert said.startswith(f"{FILE}, which says what is in force, cannot be read: every app counts as added\napp wiki ")
    assert terminal.run("proxy", "diff").exit_code == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("nonsense", "{} is not TOML"),
        (f"colour = 'red'\n{WIKI}", "colour in {} is unknown"),
        (f"{WIKI}[headers]\nuser = 'Cookie'", "user in [headers] of {} is a header that HTTP"),
        (f"{WIKI}fresh = 'soon'", "fresh in [[rules]] 2 of {} must be a duration"),
    ],
)
def test_a_fault_changes_nothing(terminal: Terminal, tmp_path: Path, apps_d: Path, fault: str, words: str) -> None:
    """One file has a fault, and none of the others comes into force; file, table and key are named."""
    before = contents(tmp_path / "nginx")
    (apps_d / "wiki.toml").unlink()
    (apps_d / "new.toml").write_text(fault)
    (apps_d / "notes.toml").write_text(NOTES)

    said = terminal.refused("proxy", "render")

    assert words.format(apps_d / "new.toml") in said
    assert contents(tmp_path / "nginx") == before
