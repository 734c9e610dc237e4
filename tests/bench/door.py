"""door_cached, door_cached_1000, door_uncached, door_refused: requests a second through the door, by wrk.

Cached: 32 connections ask for one page, with one session or with 1,000 in turn, of which nginx remembers a yes for a
second; in turn with it, the same nginx with a bare `auth_request` to `return 204`.
Uncached: the same page with the cache off; in turn, the same nginx before an empty Flask route without extensions.
Refused: a client without a session, whose refusal is two questions to the service; compared with that route, too.
"""

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Final

from tests.bench.apps import PAGE
from tests.bench.empty import EMPTY
from tests.bench.rows import Goal, Row
from tests.bench.served import served
from tests.rig.directories import server_directory
from tests.rig.parts import need

RUNS: Final = 7
SECONDS: Final = 2
CONNECTIONS: Final = 32
NAMES: Final = ("door_cached", "door_cached_1000", "door_uncached", "door_refused")
PEOPLE: Final = 1000
_SCRIPT: Final = """
local cookies, host = {%s}, "localhost:%d"
local turn = 0
local made = {}
function init()
    for i, cookie in ipairs(cookies) do made[i] = wrk.format("GET", nil, {["Host"] = host, ["Cookie"] = cookie}) end
end
function request() turn = turn %% #made + 1; return made[turn] end
"""


def measure(names: set[str], say: Callable[[str], None]) -> Iterator[Row]:
    """Yield the rows that were asked for."""
    if names & {NAMES[0], NAMES[1]}:
        yield from _cached(names, say)
    if names & {NAMES[2], NAMES[3]}:
        yield from _uncached(names, say)


def _cached(names: set[str], say: Callable[[str], None]) -> Iterator[Row]:
    with served(PEOPLE, cache_seconds=1) as door:
        cookies = [door.cookie(number) for number in range(PEOPLE if NAMES[1] in names else 1)]
        for name, sent, least in ((NAMES[0], cookies[:1], 0.75), (NAMES[1], cookies, 0.55)):
            if name in names:
                found = [(_rate(door.app, sent), _rate(door.bare, sent)) for _ in range(RUNS)]
                yield _row(name, found, least, "a bare auth_request", say)


def _uncached(names: set[str], say: Callable[[str], None]) -> Iterator[Row]:
    with served(PEOPLE) as door, served(PEOPLE, application=EMPTY, warm=False) as empty:
        sent = [door.cookie(0)]
        found: dict[str, list[tuple[float, float]]] = {NAMES[2]: [], NAMES[3]: []}
        for _ in range(RUNS):
            plain = _rate(empty.app, sent)
            if NAMES[2] in names:
                found[NAMES[2]].append((_rate(door.app, sent), plain))
            if NAMES[3] in names:
                found[NAMES[3]].append((_rate(door.app, [], refused=True), plain))
        for name, least in ((NAMES[2], 0.9), (NAMES[3], 0.4)):
            if name in names:
                yield _row(name, found[name], least, "an empty Flask route", say)


def _row(name: str, found: Sequence[tuple[float, float]], least: float, other: str, say: Callable[[str], None]) -> Row:
    ratios = tuple(ours / theirs for ours, theirs in found)
    ours, theirs = (median(side) for side in zip(*found, strict=True))
    beside = f"{ours:,.0f} requests a second of {theirs:,.0f} with {other}"
    say(f"{name}: {beside}")
    return Row(name, median(ratios), "ratio", Goal(least, at_least=True), ratios, beside)


def _rate(port: int, cookies: Sequence[str], *, refused: bool = False) -> float:
    """Return answers a second; all are 200, or none (`refused`). nginx ends a connection after 1,000 requests."""
    with server_directory("wrk", mode=0o755) as directory:
        script = directory / "requests.lua"
        script.write_text(_SCRIPT % (", ".join(f'"{each}"' for each in cookies or ["a=1"]), port))
        command = [str(need("wrk")), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}{PAGE}"], capture_output=True, text=True, check=True, timeout=60
        )
    other = int((re.findall(r"Non-2xx or 3xx responses: (\d+)", done.stdout) or ["0"])[0])
    (answered,) = re.findall(r"(\d+) requests in", done.stdout)
    assert other == (int(answered) if refused else 0), done.stdout
    return float(re.findall(r"Requests/sec: +([0-9.]+)", done.stdout)[0])
