"""`vestibule rules hits`: which rules decide, and what the others would do."""

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.rig.asking import free_port

APP = """\
address = "http://localhost:3000"
upstream = "http://wiki:3000"
[[rules]]
path = "/admin"
groups = ["ops"]
[[rules]]
path = "/hook"
allow = "everyone"
[[rules]]
groups = ["staff"]
report_only = true
[[rules]]
path = "/new"
methods = ["POST"]
users = ["bob"]
report_only = true
[[rules]]
allow = "signed-in"
"""
NAME = "vestibule_door_checks_total"
SCRAPE = f"""\
# HELP {NAME} Checks.
# TYPE {NAME} counter
{NAME}{{app="wiki",enforced="true",outcome="allowed",rule="1"}} 5.0
{NAME}{{app="wiki",enforced="true",outcome="not-admitted",rule="1"}} 2.0
{NAME}{{app="wiki",enforced="true",outcome="allowed",rule="5"}} 100.0
{NAME}{{app="wiki",enforced="true",outcome="sign-in",rule="5"}} 11.0
{NAME}{{app="wiki",enforced="true",outcome="blocked",rule=""}} 4.0
{NAME}{{app="wiki",enforced="true",outcome="preflight",rule=""}} 3.0
{NAME}{{app="wiki",enforced="false",outcome="not-admitted",rule="3"}} 7.0
{NAME}{{app="wiki",enforced="false",outcome="no-rule",rule=""}} 1.0
{NAME}{{app="",enforced="true",outcome="no-app",rule=""}} 9.0
{NAME}{{app="gone",enforced="true",outcome="allowed",rule="1"}} 6.0
# HELP other Another.
# TYPE other gauge
other 1.0
"""


@pytest.fixture(autouse=True)
def wiki(terminal: Terminal, tmp_path: Path) -> Path:
    """Return the file of an app in force."""
    (tmp_path / "apps.d").mkdir()
    (file := tmp_path / "apps.d/wiki.toml").write_text(APP)
    terminal.said("proxy", "render")
    return file


def test_each_rule_in_force_has_a_row(terminal: Terminal, wiki: Path) -> None:
    """In order, with its hits; those without any are marked. What no rule decided follows; no app that is gone does."""
    wiki.unlink()  # what the files say is not what is counted

    shown = terminal.run("rules", "hits", "--metrics", "-", stdin=SCRAPE)

    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == [
        "app              rule      hits   refused",
        "wiki                1         7         2  /admin: group ops",
        "wiki                2         0         0  /hook: everyone  <- never used",
        "wiki                3         7         7  /: group staff (report only)",
        "wiki                4         0         0  /new POST: user bob (report only)  <- would change nothing",
        "wiki                5       111        11  /: signed-in",
        "wiki                -         7         4  no rule: blocked 4, preflight 3",
        "wiki                -         1         1  no rule, if those that only report were in force: no-rule 1",
        "-                   -         9         9  no rule: no-app 9",
    ]


def test_hits_are_told_to_programs(terminal: Terminal) -> None:
    """With every outcome."""
    rows = terminal.json("rules", "hits", "--metrics", "-", stdin=SCRAPE)

    outcomes = {"allowed": 5, "not-admitted": 2}
    first = {"app": "wiki", "rule": 1, "enforced": True, "hits": 7, "refused": 2, "outcomes": outcomes}
    assert (len(rows), rows[0], rows[-1]["app"]) == (8, first, "")


def test_without_apps_there_are_no_rows(terminal: Terminal, wiki: Path) -> None:
    """Standard output has a line for each rule, and none here."""
    wiki.unlink()
    terminal.said("proxy", "render")

    shown = terminal.run("rules", "hits", "--metrics", "-", stdin="")

    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", "No app is in force.\n")


def test_the_ops_listener_is_asked(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the settings have it; without an answer the address is said, and how to name another one (3)."""
    port = free_port()
    monkeypatch.setenv("VESTIBULE_OPS_LISTEN", f"0.0.0.0:{port}")

    said = terminal.refused("rules", "hits", code=3)

    assert said.startswith(f"not available: http://127.0.0.1:{port}/metrics does not answer (")
    assert said.endswith("); another address: --metrics URL\n")


@pytest.mark.parametrize(
    ("url", "code", "words"), [("localhost:9180", 2, "is no address: write http://"), ("-", 1, "- has no metrics")]
)
def test_what_is_no_address_of_metrics_is_refused(terminal: Terminal, url: str, code: int, words: str) -> None:
    """And it is said what one looks like."""
    assert words in terminal.refused("rules", "hits", "--metrics", url, stdin="<!doctype html>", code=code)
