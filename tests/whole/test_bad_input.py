"""Bad input through nginx to two workers and each kind of database: refused alike, to no harm of other clients.

And everything twice at once: one counts, and no error shows.
"""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

from tests.rig.answer import Answer
from tests.rig.asking import answers
from tests.rig.passwords import PASSWORD
from tests.rig.processes import children
from tests.rig.servers import Servers
from tests.rig.until import until
from tests.whole.corpus import CANARY, CORPUS, FORM, RIGHT, SAME, Case

CHOICES = [f"{word} kettles argue about rain" for word in ("eleven", "twelve", "thirteen")]
CHANGES = [f"{word} otters mend a harbour wall" for word in ("eleven", "twelve", "thirteen")]


def read(data: bytes) -> Answer:
    """Return the one answer that came back."""
    assert len(answers(data)) == 1
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode("latin-1").splitlines()[1:]]
    return Answer(answers(data)[0], tuple((name.lower(), value) for name, _, value in lines), body)


def ask(house: Servers, case: Case) -> Answer:
    """Send one request."""
    return read(house.raw(case.on_the_wire(f"localhost:{house.port}")))


def token_of(house: Servers) -> str:
    """Sign alice in."""
    return ask(house, Case(303, RIGHT)).all("set-cookie")[0].partition(";")[0].partition("=")[2]


def series(house: Servers) -> set[str]:
    """Return the names and labels of everything that is counted."""
    return {line.rpartition(" ")[0] for line in house.ops("/metrics").body.decode().splitlines() if line[0] != "#"}


def test_bad_input_is_refused_and_leaves_nothing_behind(house: Servers) -> None:
    """Every case gets its status on both databases, never 5xx, with the headers; a cookie goes to alice alone."""
    before = children(house.processes["gunicorn"].pid)

    found = {name: ask(house, case) for name, case in CORPUS.items()}

    assert {name: answer.status for name, answer in found.items()} == {
        name: case.status for name, case in CORPUS.items()
    }
    given = [[each for each in answer.all("set-cookie") if "probe" not in each] for answer in found.values()]
    assert [len(cookies) for cookies in given if cookies] == [2] * len(SAME)
    assert {answer.one("cache-control") for answer in found.values()} == {"no-store"}
    assert {len(answer.all("content-security-policy")) for answer in found.values()} == {1}
    assert [name for name, answer in found.items() if CANARY in answer.body.decode() + str(answer.headers)] == []
    assert ask(house, Case(303, RIGHT)).status == 303
    assert children(house.processes["gunicorn"].pid) == before


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


def post(house: Servers, path: str, cookie: str = "", **fields: str) -> Answer:
    """Send a form of our own page's."""
    sent = {"Content_Type": "application/x-www-form-urlencoded", "Origin": house.origin}
    sent |= {"Cookie": cookie} if cookie else {}
    return house.get(path, method="POST", body=urlencode(fields).encode(), **sent)


def cookie_of(answer: Answer) -> str:
    """Return the cookie that was given, or nothing."""
    return "".join(answer.all("set-cookie")).partition(";")[0]


def together(times: int, one: Callable[[int], Answer]) -> list[Answer]:
    """Return what so many got that asked at once; who found the hashing gate full asks again."""

    def insist(number: int) -> Answer:
        while (answer := one(number)).status == 503:
            assert answer.one("retry-after") in {"2", "5"}  # no place at the gate, or the database too slow
        return answer

    with ThreadPoolExecutor(times) as clients:
        return list(clients.map(insist, range(times)))


def is_in(house: Servers, cookie: str) -> bool:
    """Whether a cookie opens the account's page."""
    return house.get("/account", Cookie=cookie).status == 200


def opening(house: Servers, name: str, passwords: list[str]) -> list[str]:
    """Return those passwords that open an account."""
    return [typed for typed in passwords if post(house, "/", username=name, password=typed).status == 303]


def test_many_sign_ins_of_one_person_at_once(house: Servers) -> None:
    """Eight browsers sign alice in together: all get in, each with a session of its own (RC-01, RC-09)."""
    found = together(8, lambda _: post(house, "/", username="alice", password=PASSWORD))

    assert {answer.status for answer in found} == {303}
    cookies = {cookie_of(answer) for answer in found}
    assert len(cookies) == 8
    assert all(is_in(house, cookie) for cookie in cookies)


def test_of_many_at_once_one_counts(house: Servers) -> None:
    """A one-time link serves one of three clicks, a password is changed by one of three tabs (RC-02, RC-04).

    And sign-ins that run while an operator disables the account leave no session that opens anything (RC-05).
    """
    invited = house.vestibule("account", "add", "bob", "--invite", "--json")
    link = str(json.loads(invited.stdout)["url"]).partition("token=")[2]

    clicks = together(3, lambda n: post(house, "/setup", token=link, password=CHOICES[n], repeat=CHOICES[n]))
    (chosen,) = opening(house, "bob", CHOICES)
    cookie = cookie_of(post(house, "/", username="bob", password=chosen))
    change = {"path": "/account/password", "cookie": cookie, "current": chosen}
    tabs = together(3, lambda n: post(house, **change, password=CHANGES[n], repeat=CHANGES[n]))
    (changed,) = opening(house, "bob", CHANGES)
    given = cookies_until_shut(house, "bob", changed)

    assert Counter(answer.status for answer in clicks) == {303: 1, 404: 2}
    assert len([answer for answer in tabs if answer.all("location") == ["/account"]]) == 1
    assert {answer.status for answer in tabs} <= {303, 400}
    assert [cookie for cookie in given if is_in(house, cookie)] == []


def cookies_until_shut(house: Servers, name: str, password: str) -> list[str]:
    """Sign in again and again, in two browsers, until the account is disabled; what was given before and meanwhile."""
    shut, cookies = Event(), []

    def sign_in_until_shut(_number: int) -> None:
        while not shut.is_set():
            cookies.append(cookie_of(post(house, "/", username=name, password=password)))

    with ThreadPoolExecutor(2) as browsers:
        running = browsers.map(sign_in_until_shut, range(2))
        try:
            until(lambda: any(cookies), "a browser is in")
            disabled = house.vestibule("account", "disable", name)
        finally:
            shut.set()
        list(running)
    assert disabled.returncode == 0
    return [cookie for cookie in cookies if cookie]
