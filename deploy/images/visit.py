"""A client of the running images, in a container beside the edge. It needs Python's standard library alone.

visit.py wait               waits until the edge and the service behind it are ready
visit.py first LINK-JSON    checks the pages, makes the first administrator, signs in; prints the session's cookie
visit.py counted            checks that /edge/metrics has counted the sign-in
visit.py door COOKIE        checks that an app on port 8081 opens with this session, and not without
visit.py again COOKIE       checks that this session still opens the account
visit.py on COOKIE          asks for the account with this session until SIGTERM; fails where one request did
"""

import http.client
import json
import re
import signal
import sys
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

PUBLIC: Final = 8080
OPS: Final = 9180
APP: Final = 8081
PATIENCE_SECONDS: Final = 60
PROBE: Final = "vestibule_session_probe=1"  # the cookie of a browser that was shown the form
ADMINISTRATOR: Final = {"username": "smoke", "password": "twelve purple otters juggle"}


class Answer:
    """An answer: the status, the headers as a mapping of lists, the body as text."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name: response.headers.get_all(name, []) for name in response.headers}
        self.body = response.read().decode()


def ask(path: str, *, port: int = PUBLIC, form: Mapping[str, str] | None = None, cookie: str = "") -> Answer:
    """Send one request: a POST with a form, else a GET."""
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    headers = {"Cookie": f"{cookie}; {PROBE}"}
    if form is not None:
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    connection.request("GET" if form is None else "POST", path, urlencode(form) if form is not None else None, headers)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def expect(what: str, actual: object, expected: object) -> None:
    """Exit with a sentence when a value is not the expected one."""
    if actual != expected:
        sys.exit(f"{what}: expected {expected!r}, got {actual!r}")


def wait() -> None:
    """Return once /readyz answers 200."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if ask("/readyz", port=OPS).status == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit(f"/readyz did not answer 200 within {PATIENCE_SECONDS} s")


def first(link: str) -> str:
    """Check the pages without a session, make the first administrator, sign in; return the session's cookie."""
    page = ask("/")
    expect("sign-in page", page.status, 200)
    expect("content policies", len(page.headers["Content-Security-Policy"]), 1)
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page.body)
    expect("style sheet", ask(sheet[1] if sheet else "/no-link-in-the-page").status, 200)
    expect("an unknown path", ask("/nothing-here").status, 404)
    expect("wrong password", ask("/", form=ADMINISTRATOR).status, 401)
    expect("metrics in public", ask("/metrics").status, 404)
    counted = 'flask_http_request_total{method="POST",status="401"} 1.0'
    expect("the wrong password counted", ask("/metrics", port=OPS).body.splitlines().count(counted), 1)

    where = urlsplit(json.loads(link)["url"])
    token = parse_qs(where.query)["token"][0]
    chosen = {"token": token, "repeat": ADMINISTRATOR["password"], **ADMINISTRATOR}
    expect("first administrator", ask("/setup", form=chosen).status, 303)
    entered = ask("/", form=ADMINISTRATOR)
    expect("right password", entered.status, 303)
    return entered.headers["Set-Cookie"][0].split(";")[0]


def counted() -> None:
    """Return once /edge/metrics has counted the sign-in."""
    until = time.monotonic() + PATIENCE_SECONDS
    wanted = re.compile(r'vestibule_edge_requests_total\{app="vestibule",method="POST",status="303"\} [1-9]')
    while time.monotonic() < until:
        if wanted.search(ask("/edge/metrics", port=OPS).body):
            return
        time.sleep(0.2)
    sys.exit("/edge/metrics counts no sign-in")


def door(cookie: str) -> None:
    """Check the door, with the ops listener as an app."""
    expect("the door's probe", ask("/edge/door", port=OPS).status, 200)
    expect("an app without a session", ask("/edge/healthz", port=APP).status, 401)
    for _ in range(2):  # the second time from nginx's cache
        expect("an app with a session", ask("/edge/healthz", port=APP, cookie=cookie).body, "ok\n")


def again(cookie: str) -> None:
    """Check that the session is still accepted."""
    expect("the account after kill -9 of the service", ask("/account", cookie=cookie).status, 200)


def on(cookie: str) -> None:
    """Ask one request after the other, each over a new connection."""
    told_to_end: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told_to_end.append(number))
    answers: list[object] = []
    while not told_to_end:
        try:
            answers.append(ask("/account", cookie=cookie).status)
        except (OSError, http.client.HTTPException) as failure:
            answers.append(repr(failure))
    failed = [each for each in answers if each != http.HTTPStatus.OK]
    print(f"{len(answers)} requests meanwhile, {len(failed)} failed")
    if failed or not answers:
        sys.exit(f"failed: {failed[:10]}")


def main(arguments: list[str]) -> None:
    """Run the command that the arguments name."""
    match arguments:
        case ["wait"]:
            wait()
        case ["first", link]:
            print(first(link))
        case ["counted"]:
            counted()
        case ["door", cookie]:
            door(cookie)
        case ["again", cookie]:
            again(cookie)
        case ["on", cookie]:
            on(cookie)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
