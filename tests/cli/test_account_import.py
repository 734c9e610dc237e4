"""`vestibule account import`: many accounts at once, all checked before any is stored."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from argon2 import PasswordHasher, Type

from service.cli.account.importing import BATCH, COLUMNS
from service.services import Unavailable
from tests.cli.terminal import Terminal
from tests.rig.memory_store import MemoryAccounts, Rows
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW, PASSWORDS
from tests.rig.promises import copy_of
from tests.rig.world import browser

Import = Callable[..., list[str]]
HASHES: Final = {
    kind.name: PasswordHasher(time_cost=1, memory_cost=16, parallelism=2, hash_len=16, type=kind).hash(PASSWORD)
    for kind in Type
}


@pytest.fixture
def importing(tmp_path: Path) -> Import:
    """Write a file and return the words that import it."""

    def words(content: str | bytes, *options: str) -> list[str]:
        path = tmp_path / "people.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return ["account", "import", str(path), *options]

    return words


def test_everything_that_a_row_may_say(terminal: Terminal, importing: Import) -> None:
    """Each column is kept in its one spelling; a quoted comma, quotes and other scripts arrive as they are."""
    row = 'ＢＯＢ , b@example.test,"Öl, ""Bob"" 鈴木　一郎",ops  Admins ops,Yes,TRUE,' + f'"{HASHES["ID"]}"'

    said = terminal.said(*importing(f"{','.join(COLUMNS)}\n{row}\n"))

    kept = terminal.account("bob")
    assert said == "Accounts added: 1; existed already: 0.\n"
    assert (kept.email, kept.display_name) == ("b@example.test", 'Öl, "Bob" 鈴木　一郎')
    assert (kept.groups, kept.is_admin, kept.disabled_at) == (("admins", "ops"), True, NOW)
    assert (kept.password_hash, kept.created_at) == (HASHES["ID"], NOW)


@pytest.mark.parametrize("kind", HASHES)
def test_hashes_are_taken_as_they_are(terminal: Terminal, importing: Import, kind: str) -> None:
    """argon2i, d and id of other parameters sign in, and become today's at the first sign-in."""
    terminal.said(*importing(f'username,password_hash\nbob,"{HASHES[kind]}"\n'))
    before = terminal.account("bob").password_hash

    answer = browser(terminal.world.app()).post("/", data={"username": "bob", "password": PASSWORD})

    after = str(terminal.account("bob").password_hash)
    assert (before, answer.status_code) == (HASHES[kind], 303)
    assert after.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert PASSWORDS.check(after, PASSWORD).matches


@pytest.mark.parametrize(
    "content",
    [
        "username\r\nbob\r\ncarol",
        "\ufeffusername\nbob\n\n\ncarol\n",
        "name,username\n,bob\nCarol,carol\n",
        "username,email\nbob\ncarol,\n",
        '"username"\n"bob"\n" carol "\n',
        "username;email\nbob;b@example.test\ncarol;\n",
        'username\tname\nbob\t"Öl, Bob"\ncarol\t\n',
        "Username, Password Hash ,EMAIL,,\nbob,,,,\n,,,,\ncarol,,,,\n",
        "username\rbob\rcarol\r",
        "username\nbob\ncarol\n".encode("utf-16"),
        "\ufeffusername;name;\r\nbob;Zoë;\r\ncarol;;\r\n",
    ],
    ids=ascii,
)
def test_files_of_many_programs(terminal: Terminal, importing: Import, content: str | bytes) -> None:
    """What spreadsheets write is read: line ends, byte order marks, separators, blank and short rows, empty columns."""
    assert terminal.json(*importing(content)) == {"added": 2, "skipped": 0}
    assert [terminal.account(name).password_hash for name in ("bob", "carol")] == [None, None]


FAULTS: Final = {
    "no username": ("email\nx@y\n", "line 1: the heading"),
    "unknown column": ("username,password\nbob,secret\n", "line 1: the heading"),
    "column twice": ("username,username\nbob,carol\n", "line 1: the heading"),
    "nothing": ("", "line 1: the heading must have the column username"),
    "pipes": ("username|email\nbob|x\n", "(it has 'username|email')"),
    "bad name": ("username\nfine\ntwo words\n", "line 3: 'two words' cannot be a username"),
    "empty name": ("username,email\n,x@y\n", "line 2: '' cannot be a username"),
    "long name": (f"username\n{'a' * 5000}\n", f"line 2: {'a' * 64!r} cannot be a username"),
    "NUL": ("username\nbob\x00\n", "line 2: 'bob\\x00' cannot be a username"),
    "twice": ("username\nbob\nx\nBOB\n", "line 4: bob was in line 2"),
    "existing account": ("username\nAlice\n", "line 2: the account alice exists already: remove the line, or add"),
    "bad e-mail": ("username,email\nbob,nobody\n", "line 2: The e-mail"),
    "two lines in a name": ('username,name\nbob,"a\nb"\n', "line 3: The name"),
    "long display name": (f"username,name\nbob,{'x' * 201}\n", "line 2: The name"),
    "bad group": ('username,groups\nbob,"a,b"\n', "line 2: 'a,b' cannot be a group"),
    "bad truth": ("username,admin\nbob,maybe\n", "line 2: admin and disabled must be yes or no"),
    "bad disabled": ("username,disabled\nbob,2\n", "line 2: admin and disabled must be yes or no"),
    "too many fields": ("username\nbob,x\n", "line 2: 2 fields, where the heading has 1"),
    "bcrypt": ("username,password_hash\nbob,$2b$12$abcdefghijklmnopqrstuv\n", "line 2: password_hash"),
    "plain text": ("username,password_hash\nbob,hunter2hunter2\n", "line 2: password_hash"),
    "costly hash": (
        'username,password_hash\nbob,"$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"\n',
        "line 2: password_hash costs too much with m=4194304, t=3, p=4",
    ),
    "little memory": (
        'username,password_hash\nbob,"$argon2id$v=19$m=12,t=20,p=2$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"\n',
        "line 2: password_hash has m=12, which is too little for p=2",
    ),
    "hash cut short": (
        f'username,password_hash\ncarol,\nbob,"{HASHES["ID"][:-3]}"\n',
        "line 3: password_hash has a salt or a hash that was cut short",
    ),
    "not UTF-8": (b"username\nbob\n\xff\xfe\n", "line 3: the file is not UTF-8 text in line 3"),
    "Latin-1": (("username\n" + "bob\n" * 38 + "Jürgen").encode("latin-1"), "line 40: the file is not UTF-8 text"),
    "open quote": ('username\nbob\n"carol\n', "line 3: not readable as CSV"),
    "huge field": (f"username,name\nbob,{'x' * 200_000}\n", "line 2: not readable as CSV"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_one_fault_writes_nothing(terminal: Terminal, importing: Import, case: str) -> None:
    """The line and the reason are named, the rest of the file is not written either, and no hash is repeated."""
    content, why = FAULTS[case]
    before = copy_of(terminal.world.rows)

    said = terminal.refused(*importing(content))

    assert [line for line in said.splitlines() if line.startswith("line ") and why in line]
    assert said.endswith("nothing was written.\n")
    assert "hunter2" not in said
    assert terminal.world.rows == before


def test_all_faults_at_once(terminal: Terminal, importing: Import) -> None:
    """Every line is checked; the first fifty are shown, all are counted, and JSON has them all."""
    content = "username,admin\n" + "two words,\nfine,maybe\n" * 40

    said = terminal.refused(*importing(content)).splitlines()
    as_json = terminal.run(*importing(content, "--json"))

    assert (len(said), said[-1].split()[3]) == (51, "80.")
    assert [line.split(":")[0] for line in said[:3]] == ["line 2", "line 3", "line 4"]
    assert as_json.exit_code == 1
    assert len(json.loads(as_json.stdout)["faults"]) == 80


def test_existing_accounts_may_be_skipped(terminal: Terminal, importing: Import) -> None:
    """With --skip-existing the others go in, and existing accounts stay exactly as they were."""
    before = terminal.account("alice")

    said = terminal.said(*importing("username,name,admin\nalice,Mallory,yes\nbob,Bob,\n", "--skip-existing"))

    assert said == "Accounts added: 1; existed already: 1.\n"
    assert (terminal.account("alice"), terminal.account("bob").display_name) == (before, "Bob")


def test_an_interruption_is_made_good(terminal: Terminal, importing: Import) -> None:
    """What was written before the store went away stays in whole batches; the same file then brings the rest."""
    names = [f"u{n}" for n in range(BATCH * 2 + 50)]
    words = importing("username\n" + "\n".join(names) + "\n", "--skip-existing")
    breaking = Breaking(terminal.world.rows, after=BATCH + 10)

    terminal.refused(*words, code=3, accounts=breaking)
    half = len(terminal.world.rows.accounts) - 1
    rest = terminal.json(*words)

    assert (half, rest) == (BATCH, {"added": BATCH + 50, "skipped": BATCH})


class Breaking(MemoryAccounts):
    """A store that goes away after so many accounts."""

    def __init__(self, rows: Rows, *, after: int) -> None:
        super().__init__(rows)
        self._left = after

    def add(self, account):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        self._left -= 1
        if self._left < 0:
            raise Unavailable("the disk is full")
        super().add(account)


class Counting(MemoryAccounts):
    """A store that finds names at once, as an index does, and counts how often it is asked."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._names = {account.username: account for account in rows.accounts.values()}
        self._kept = rows
        self.asked = 0

    def by_username(self, username):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        self.asked += 1
        return self._names.get(username)

    def add(self, account):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        self._names[account.username] = self._kept.accounts[account.id] = account


def test_five_thousand_rows(terminal: Terminal, importing: Import) -> None:
    """The work grows with the file: two looks for each row, and one transaction for two hundred."""
    counting, transactions = Counting(terminal.world.rows), []
    rows = "".join(f'u{n},"{HASHES["ID"]}"\n' for n in range(5000))

    def transaction():  # type: ignore[no-untyped-def]  # noqa: ANN202
        transactions.append(1)
        return terminal.world.rows.transaction()

    result = terminal.run(
        *importing(f"username,password_hash\n{rows}", "--json"), accounts=counting, transaction=transaction
    )

    assert json.loads(result.stdout) == {"added": 5000, "skipped": 0}
    assert (counting.asked, len(transactions)) == (10_000, 25)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_progress_bar_on_a_terminal_only(
    terminal: Terminal, importing: Import, monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool
) -> None:
    """At a terminal it shows how far it is, on standard error; in a pipe or a log there is nothing."""
    monkeypatch.setattr("click._termui_impl.isatty", lambda _stream: is_terminal)
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _stream: is_terminal)

    result = terminal.run(*importing("username\nbob\n"))

    assert result.stdout == "Accounts added: 1; existed already: 0.\n"
    assert ("Importing" in result.stderr, "100%" in result.stderr) == (is_terminal, is_terminal)


def test_a_file_that_is_not_there(terminal: Terminal, tmp_path: Path) -> None:
    """A path that leads nowhere, or to a directory, is a mistake in the command."""
    assert "does not exist" in terminal.refused("account", "import", str(tmp_path / "none.csv"), code=2)
    assert "is a directory" in terminal.refused("account", "import", str(tmp_path), code=2)


def test_a_file_from_standard_input(terminal: Terminal) -> None:
    """A dash reads what another program writes."""
    terminal.said("account", "import", "-", stdin="\ufeffUsername;Name\r\nbob;Bob\r\n".encode())
    assert terminal.account("bob").display_name == "Bob"
