"""`vestibule db upgrade` and `rehearse`: what is typed, and what is printed."""

import pytest

from tests.cli.terminal import Terminal


def test_a_rehearsal_is_a_table(terminal: Terminal) -> None:
    """Each step with its time and what it locks, then the rows of each table."""
    assert terminal.said("db", "rehearse").splitlines() == [
        "An upgrade from revision 0001 to 0002, on a copy:",
        "step  seconds  locks",
        "0002     0.25  accounts (SHARE)",
        "rows",
        "            1  accounts",
    ]
    assert terminal.json("db", "rehearse")["steps"] == [
        {"revision": "0002", "seconds": 0.25, "locks": {"accounts": "SHARE"}}
    ]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("rehearse", "--into", "postgresql://vestibule:secret@db/copy"), "leave the password out"),
        (("rehearse", "--into", "postgresql://vestibule@db/copy?password=secret"), "leave the password out"),
        (("rehearse", "--into", "mysql://vestibule@db/copy"), "must look like postgresql://"),
        (("rehearse", "--into", "sqlite:////srv/copy"), "must begin with postgresql://"),
        (("rehearse", "--into", "postgresql://vestibule@db/copy"), "SQLite needs no --into"),
        (("upgrade", "--wait", "soon"), "write it like 90s, 15m, 2h or 14d"),
        (("upgrade", "--wait", "10"), "write it like 90s, 15m, 2h or 14d"),
        (("upgrade", "--wait", "-1s"), "write it like 90s, 15m, 2h or 14d"),
    ],
)
def test_a_wrong_option_is_wrong_usage(terminal: Terminal, typed: tuple[str, ...], message: str) -> None:
    """Exit code 2 and what would be right; a password on the command line is refused, and not shown again."""
    said = " ".join(terminal.refused("db", *typed, code=2).split())

    assert message in said
    assert "secret" not in said


def test_a_wait_may_be_none_at_all(terminal: Terminal) -> None:
    """`--wait 0s` tries once."""
    assert terminal.said("db", "upgrade", "--wait", "0s") == "The tables are those of this release.\n"
    assert terminal.run("status", "--wait", "0s").exit_code == terminal.run("status").exit_code


def test_postgresql_is_rehearsed_in_another_database(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --into there is no place for the copy: the option is named."""
    monkeypatch.setenv("VESTIBULE_DATABASE_URL", "postgresql://vestibule@db/vestibule")

    assert "add --into URL" in terminal.refused("db", "rehearse", code=2)
