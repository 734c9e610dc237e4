"""The apps in `apps.d`: what a file may hold, and how each fault is named."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule
from service.settings import Settings, SettingsFault, fields, load
from service.settings.app_files import apps, faults_of_apps
from tests.settings.apps_d import HEAD, HTTPS, SHARED, WHOLE, faults


def test_an_app_is_five_lines(directory: Path) -> None:
    """Its address, its upstream, its title, and a rule; the file's name is its name."""
    (directory / "wiki.toml").write_text(HEAD + 'title = "Our wiki"\n[[rules]]\nallow = "signed-in"\n')

    (app,) = apps(load(SHARED))

    assert (app.name, app.title, app.upstream) == ("wiki", "Our wiki", "http://127.0.0.1:3000")
    assert app.address == PublicAddress("https", "wiki.example.org", 443)
    assert app.rules == (Rule(number=1, allow=Allow.SIGNED_IN),)


def test_a_rule_may_hold_every_key(directory: Path) -> None:
    """Values are kept in their one spelling; a title is the app's name unless it is given."""
    (directory / "a-1.toml").write_text(
        f'{HEAD}[[rules]]\npath = "/admin"\nusers = ["Alice"]\ngroups = ["OPS"]\nmethods = ["GET", "POST"]\n'
        'networks = ["192.0.2.0/24", "2001:db8::1"]\nfresh = "10m"\nreport_only = true\n'
    )

    (app,) = apps(load(SHARED))

    networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::1"))
    assert app.title == "a-1"
    assert app.rules == (
        Rule(
            number=1,
            path="/admin",
            users=("alice",),
            groups=("ops",),
            methods=("GET", "POST"),
            networks=networks,
            fresh=600,
            report_only=True,
        ),
    )


def test_without_the_usual_directory_there_are_no_apps(usual_config: Path) -> None:
    """Nor with an empty one, nor with files of editors, of volumes, or with another ending."""
    assert apps(load({})) == []
    usual_config.touch()
    directory = usual_config.parent / "apps.d"
    directory.mkdir()
    for name in (".wiki.toml", "wiki.toml~", "wiki.toml.bak", "README.md", "..data"):
        (directory / name).write_text("nonsense")

    assert apps(load({})) == []


def test_the_directory_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chosen directory must be there; the usual ones are beside the settings, in /etc, and with the state."""
    chosen = {"VESTIBULE_ACCESS__APPS_DIR": str(tmp_path / "elsewhere")}

    (fault,) = faults_of_apps(load(chosen))

    assert fault.startswith(f"{tmp_path}/elsewhere cannot be read (No such file or directory)")
    monkeypatch.setattr(fields, "CONFIG_DIRECTORY", tmp_path / "etc")
    assert Settings(state_dir=tmp_path).apps_dir == tmp_path / "apps.d"
    (tmp_path / "etc").mkdir()
    assert Settings(state_dir=tmp_path).apps_dir == tmp_path / "etc/apps.d"
    assert Settings(config=tmp_path / "own/vestibule.toml").apps_dir == tmp_path / "own/apps.d"
    (tmp_path / "elsewhere").mkdir()
    assert faults_of_apps(load(chosen)) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x", "{} is not TOML ("),
        (WHOLE.replace("address", "adress"), "adress in {} is unknown: did you mean address?"),
        (WHOLE.replace("address", "adress"), '{} has no address: write address = "https://wiki.example.org"'),
        ("[[rules]]\nallow = 'everyone'", '{} has no upstream: write upstream = "http://127.0.0.1:3000"'),
        (WHOLE.replace("https:", "http:"), "address in {} is plain http"),
        (WHOLE.replace("wiki.example.org", "a:b@wiki.example.org"), "address in {} must not contain a user name"),
        (WHOLE.replace("wiki.example.org", "wiki.example.org/x"), "address in {} must end after the host"),
        (WHOLE.replace("wiki.example.org", "[::1]"), "address in {} must have a name or an IPv4 address"),
        (WHOLE.replace('"https://wiki.example.org"', "7"), "address in {} must be text in quotes"),
        (WHOLE.replace("127.0.0.1:3000", "127.0.0.1:3000/x"), "upstream in {} must be http:// or https://, a host"),
        (WHOLE.replace("http://127.0.0.1:3000", "wiki:3000"), "upstream in {} must be http:// or https://, a host"),
        (f"title = ''\n{WHOLE}", "title in {} is empty"),
        (f"colour = 'red'\n{WHOLE}", "colour in {} is unknown: there may be address, upstream, title"),
        (f"groups = ['ops']\n{WHOLE}", "groups in {} belongs to a rule: write it below a line [[rules]]"),
        (f"{WHOLE}title = 'Wiki'", "title in [[rules]] 1 of {} belongs to the app: write it above the first [[rules]]"),
        (HEAD, "{} has no [[rules]] (with two brackets), and what no rule admits is refused"),
        (f"{HEAD}[rules]\nallow = 'everyone'", "{} has no [[rules]] (with two brackets)"),
        (f"{HEAD}[[Rule]]\nallow = 'everyone'", "Rule in {} is unknown: did you mean [[rules]]?"),
        (f"rules = []\n{HEAD}", "{} has no [[rules]] (with two brackets)"),
        (f"rules = ['x']\n{HEAD}", "{} has no [[rules]] (with two brackets)"),
    ],
)
def test_a_fault_of_an_app_is_named(directory: Path, content: str, words: str) -> None:
    """With its file, its key, and what would be right; no password is repeated."""
    found = faults(directory, content)

    assert [each for each in found if words.format(directory / "wiki.toml") in each]
    assert "a:b" not in str(found)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", '{} must say whom it admits, in one way: allow = "signed-in"'),
        ("path = '/x'", "{} must say whom it admits"),
        ("allow = 'signed-in'\ngroups = ['ops']", "{} must say whom it admits, in one way"),
        ("allow = 'signed_in'", 'allow in {} must be "signed-in" or "everyone"'),
        ("allow = true", "allow in {} must be text in quotes"),
        ("allow = 'two-factor'", "allow in {} asks for a second factor, and there are none yet: remove it"),
        ("allow = 'signed-in'\nfactors = 2", "factors in {} asks for a second factor, and there are none yet"),
        ("allow = 'signed-in'\nmfa = true", "mfa in {} asks for a second factor, and there are none yet"),
        ("allow = 'everyone'\nfresh = '10m'", "fresh in {} is for people who signed in"),
        ("allow = 'signed-in'\nfresh = '10'", "fresh in {} must be a duration from 1m to 400d"),
        ("allow = 'signed-in'\npath = '/admin/'", "path in {} must be whole segments"),
        ("allow = 'signed-in'\npath = '/admin*'", "path in {} has a *, and there are no patterns"),
        ("allow = 'signed-in'\npath = '^/admin'", "path in {} must be whole segments"),
        ("allow = 'signed-in'\nreport_only = 'yes'", "report_only in {} must be true or false, without quotes"),
        ("groups = []", "groups in {} is empty"),
        ("group = ['ops']", "group in {} is unknown: did you mean groups?"),
        ("groups = ['o ps']", 'groups in {} "o ps" is not the name of a group'),
        ("users = ['al ice']", 'users in {} "al ice" is not a username'),
        ("allow = 'signed-in'\nmethods = ['get']", 'methods in {} "get" is not a method: did you mean GET?'),
        ("allow = 'signed-in'\nmethods = ['7']", 'methods in {} "7" is not a method: there may be GET, HEAD'),
        ("allow = 'signed-in'\nnetworks = ['192.0.2.7/24']", "has bits set after the prefix: write 192.0.2.0/24"),
        ("allow = 'signed-in'\nnetworks = ['office']", 'networks in {} "office" is not a network'),
        ("allow = 'signed-in'\npreflight = true", "preflight in {} belongs to the app: write it above the"),
        ("allow = 'signed-in'\nemail = 'X-Email'", "email in {} is a header's: write it below a line [headers]"),
    ],
)
def test_a_fault_of_a_rule_is_named(directory: Path, rule: str, words: str) -> None:
    """With the rule's number in its file."""
    found = faults(directory, f"{HEAD}[[rules]]\npath = '/first'\nallow = 'everyone'\n[[rules]]\n{rule}")

    assert words.format(f"[[rules]] 2 of {directory / 'wiki.toml'}") in found[0]


def test_a_rule_that_is_never_reached_is_a_fault(directory: Path) -> None:
    """An operator who adds a restriction below a rule that takes all requests would believe it holds."""
    (fault,) = faults(directory, f"{WHOLE}[[rules]]\ngroups = ['ops']")

    assert fault.startswith(f"[[rules]] 2 of {directory / 'wiki.toml'} is never reached: [[rules]] 1 takes all")


def test_all_faults_of_all_files_are_named_at_once(directory: Path) -> None:
    """Those of one file do not hide those of another, nor addresses that two apps share."""
    (directory / "other.toml").write_text(f"colour = 'red'\n{WHOLE}")

    found = faults(directory, f"flavour = 'sweet'\n{WHOLE}")

    assert len(found) == 3
    with pytest.raises(SettingsFault) as raised:
        apps(load(SHARED))
    assert raised.value.faults == found
    assert f"already that of {directory / 'other.toml'}: each app has an address of its own" in found[2]


@pytest.mark.parametrize("name", ["Wiki.toml", "my wiki.toml", "-wiki.toml", "vestibule.toml", "w,x.toml", "wïki.toml"])
def test_a_file_is_named_after_its_app(directory: Path, name: str) -> None:
    """The name stands in metrics and logs: plain letters, and not that of the service itself."""
    (fault,) = faults(directory, WHOLE, name=name)

    assert fault.startswith(f"{directory / name} must be named after the app")


def test_what_is_no_file_is_named(directory: Path) -> None:
    """A directory, or a file that cannot be read, is a fault and not an app that is missing."""
    (directory / "wiki.toml").mkdir()

    (fault,) = faults_of_apps(load(SHARED))

    assert fault.startswith(f"{directory / 'wiki.toml'} cannot be read (Is a directory)")


@pytest.mark.parametrize(
    ("address", "environ", "words"),
    [
        ("https://login.example.org", SHARED, "is already that of the login itself (public_url)"),
        ("https://wiki.example.com", SHARED, "browsers send to https:// addresses in example.org: choose one there"),
        ("https://wiki.example.org", HTTPS, "or set sessions.cookie_domain to a parent domain of both"),
        ("https://wiki.example.org", {}, "browsers send to http://localhost with any port: choose one there"),
        ("http://localhost:8080", {}, "is already that of the login itself (public_url)"),
    ],
)
def test_an_address_where_the_door_could_not_work_is_refused(
    directory: Path, address: str, environ: dict[str, str], words: str
) -> None:
    """On the login's own address, or where no browser sends the session cookie."""
    (fault,) = faults(directory, WHOLE.replace("https://wiki.example.org", address), environ=environ)

    assert fault.startswith(f"address in {directory / 'wiki.toml'} ({address}) ")
    assert words in fault


def test_an_app_beside_the_login_on_this_machine(directory: Path) -> None:
    """On plain http://localhost an app has another port."""
    assert faults(directory, WHOLE.replace("https://wiki.example.org", "http://localhost:3000"), environ={}) == []


def test_a_file_may_be_saved_by_any_editor(directory: Path) -> None:
    """With a byte order mark and the line ends of Windows."""
    (directory / "wiki.toml").write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    (directory / "other.toml").write_bytes(WHOLE.replace("wiki", "other").encode("utf-16"))

    assert [app.name for app in apps(load(SHARED))] == ["other", "wiki"]


VALUES = st.sampled_from(
    ["''", "'x'", "7", "true", "[]", "[[1]]", "{}", "1979-05-27", "nan", "'/a'", "['ops']", "'\\u001b'"]
)
KEYS = st.sampled_from(
    [
        *("address", "upstream", "title", "rules", "path", "allow", "users", "methods", "networks", "fresh"),
        *("headers", "user", "preflight", "certificate"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_any_value_is_taken_or_named(directory: Path, app: dict[str, str], rule: dict[str, str]) -> None:
    """No value of any kind ends in anything but a sentence of one line."""
    lines = [*(f"{key} = {value}" for key, value in app.items()), "[[rules]]"]
    lines += [f"{key} = {value}" for key, value in rule.items()]

    found = faults(directory, "\n".join(lines))

    assert found
    assert all(str(directory) in fault and fault.isprintable() for fault in found)
