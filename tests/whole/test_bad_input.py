"""Bad input through nginx to two workers and each kind of database: refused alike, and nobody is worse off for it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.asking import Answer, answers
from tests.rig.servers import Servers
from tests.whole.conftest import addresses, migrated
from tests.whole.corpus import CANARY, CORPUS, FORM, PASSWORD, RIGHT, SAME, Case
from tests.whole.test_nothing_is_lost import workers

NAME = "vestibule_session"
UNLIMITED = {"LIMITS__POST_PER_MINUTE": "100000", "LIMITS__EDGE_POST_PER_SECOND": "2000"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """Servers with two workers, with alice, on one kind of database."""
    with migrated(**UNLIMITED, **addresses(request)) as servers:
        assert servers.vestibule("account", "add", "alice", "--password-stdin", typed=f"{PASSWORD}\n").returncode == 0
        yield servers


def read(data: bytes) -> Answer:
    """Return the one answer that came back."""
    assert len(answers(data)) == 1
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode("latin-1").splitlines()[1:]]
    return Answer(answers(data)[0], [(name.lower(), value) for name, _, value in lines], body)


def ask(house: Servers, case: Case) -> Answer:
    """Send one request."""
    return read(house.raw(case.on_the_wire(f"localhost:{house.port}")))


def token_of(house: Servers) -> str:
    """Sign alice in."""
    return ask(house, Case(303, RIGHT)).one("set-cookie").partition(";")[0].partition("=")[2]


def series(house: Servers) -> set[str]:
    """Return the names and labels of everything that is counted."""
    return {line.rpartition(" ")[0] for line in house.ops("/metrics").body.decode().splitlines() if line[0] != "#"}


def test_bad_input_is_refused_and_leaves_nothing_behind(house: Servers) -> None:
    """Every case gets its status on both databases, never 5xx, with the headers; a cookie goes to alice alone."""
    before = workers(house)

    found = {name: ask(house, case) for name, case in CORPUS.items()}

    assert {name: answer.status for name, answer in found.items()} == {
        name: case.status for name, case in CORPUS.items()
    }
    assert sum(len(answer.all("set-cookie")) for answer in found.values()) == len(SAME)
    assert {answer.one("cache-control") for answer in found.values()} == {"no-store"}
    assert {len(answer.all("content-security-policy")) for answer in found.values()} == {1}
    assert [
        name for name, answer in found.items() if CANARY.encode() in answer.body + str(answer.headers).encode()
    ] == []
    assert ask(house, Case(303, RIGHT)).status == 303
    assert workers(house) == before


def test_bad_input_adds_no_series(house: Servers) -> None:
    """What was asked once in each way is counted in the same series when it comes in a hundred other words."""
    odd = [
        Case(0, b"%d=%d" % (n, n), b"x/%d" % n, (b"POST", b"GET", b"X%c" % (65 + n % 26))[n % 3], b"/%d" % n)
        for n in range(60)
    ]
    for case in odd[:6]:
        ask(house, case)
    before = series(house)

    for case in odd[6:]:
        ask(house, case)

    assert series(house) == before


def test_bad_input_is_written_down_without_a_secret(house: Servers) -> None:
    """Both logs stay one JSON object a line; no password that was typed, and no token, lies in a file of the state."""
    token = token_of(house)
    typed = Case(0, b"username=" + CANARY.encode() + b"&password=" + CANARY.encode(), lines=(b"X: " + CANARY.encode(),))
    for target in (b"/", b"/?" + CANARY.encode(), b"/setup?token=" + CANARY.encode()):
        ask(house, Case(0, typed.body, FORM, b"POST", target, typed.lines))
    last = house.get("/").one("x-request-id")
    house.wait_until(lambda: last in house.log("nginx") and last in house.log("gunicorn"), "all of it was logged")

    for log in ("nginx", "gunicorn"):
        assert {type(json.loads(line)) for line in house.log(log).splitlines()} == {dict}
    kept = [path for path in Path(house.state_dir).rglob("*") if path.is_file()]
    secrets = [word.encode() for word in (CANARY, PASSWORD, token)]
    assert [path.name for path in kept if any(secret in path.read_bytes() for secret in secrets)] == []


COOKIES = {
    "N=T": 200,
    "x=1; N=T; y=2": 200,
    "N=T; N=bad": 200,
    "N=bad; N=T": 303,
    "N=bad\r\nCookie: N=T": 303,
    "N=T\r\nCookie: N=bad": 200,
    "=N=bad; N=T": 200,
    "N =bad; N=T": 200,
    'N="T"': 303,
    '$Version=1; x="a; N=bad"; N=T': 303,
    "__Host-vestibule=T": 303,
    "__host-N=T": 303,
    "n=T": 303,
    "N=T%00": 303,
    "N=T=": 303,
    "N=T,N=bad": 303,
    "N=\xff": 303,
    "N=T\0": 400,
    "; ".join(["N=bad"] * 100): 303,
}


def test_one_reading_of_cookies_through_nginx(house: Servers) -> None:
    """The first cookie of the exact name counts, in however many lines they come; anything else is nobody (CK)."""
    token = token_of(house)

    found = {
        sent: ask(
            house,
            Case(0, method=b"GET", target=b"/account", lines=(
                b"Cookie: " + sent.replace("N", NAME).replace("T", token).encode("latin-1"),
            )),
        ).status
        for sent in COOKIES
    }  # fmt: skip

    assert found == COOKIES


FOREIGN = [
    ["Sec-Fetch-Site: cross-site"],
    ["Sec-Fetch-Site: same-site"],
    ["Sec-Fetch-Site: cross-site", "Sec_Fetch_Site: same-origin"],
    ["Sec-Fetch-Site: cross-site", "Origin: {origin}"],
    ["Origin: https://evil.test"],
    ["Origin: https://evil.test", "Origin: {origin}"],
    ["Origin: https://evil.test", "Host: localhost:{port}", "X-Forwarded-Host: evil.test"],
    ["Origin: null"],
    ["Origin:"],
    ["Origin: {origin}.evil.test"],
    ["Origin: {origin}0"],
    ["Referer: {origin}/"],
    ["X-Requested-With: XMLHttpRequest"],
    [],
]


def test_another_sites_form_does_nothing_through_nginx(house: Servers) -> None:
    """Signing out needs our own page: whatever nginx makes of doubled, empty and misspelt headers, it is 403 (CS)."""
    cookie = f"Cookie: {NAME}={token_of(house)}"
    host = f"Host: localhost:{house.port}"

    def post(sent: list[str]) -> int:
        lines = [each.format(origin=house.origin, port=house.port) for each in (cookie, *sent)]
        own = [] if any(line.startswith("Host:") for line in lines) else [host]
        head = ["POST /logout HTTP/1.1", *own, "Connection: close", "Content-Length: 0", *lines, "", ""]
        return read(house.raw("\r\n".join(head).encode())).status

    assert [(sent, status) for sent in FOREIGN if (status := post(sent)) != 403] == []
    assert ask(house, Case(0, method=b"GET", target=b"/account", lines=(cookie.encode(),))).status == 200
    assert post(["Origin: {origin}"]) == 303
