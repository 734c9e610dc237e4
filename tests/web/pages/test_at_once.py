"""Many requests at once in one process: each gets its own answer (RC-01, RC-09)."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from service.hashing.gate import HashingGate
from tests.rig.gates import Gate
from tests.rig.passwords import PASSWORD
from tests.rig.people import alice
from tests.rig.wire import ask, post
from tests.rig.world import World

PEOPLE = [f"person-{n:02}" for n in range(20)]


def gate_for(requests: int) -> HashingGate:
    """Return a gate whose one queue (of two) holds so many, and for which hashes take no time: none is shed."""
    return HashingGate(threads=2, waiting=2 * requests, timer=lambda: 0.0)


def test_no_request_gets_the_answer_of_another(world: World) -> None:
    """Twenty people sign in at the same time, three times each, and each finds their own account."""
    world.rows.accounts = {name: alice(id=name, username=name) for name in PEOPLE}
    app = world.app(gate=gate_for(60))

    def visit(name: str) -> tuple[int, int, bool]:
        signed_in = post(app, "/", f"username={name}&password={quote(PASSWORD)}")
        cookie = ("Cookie", str(signed_in.get("Set-Cookie")).partition(";")[0])
        page = ask(app, "GET", "/account", headers=[cookie])
        others = [other for other in PEOPLE if other != name and other in page.text]
        return signed_in.status, page.status, name in page.text and not others

    with ThreadPoolExecutor(12) as browsers:
        visits = list(browsers.map(visit, PEOPLE * 3))

    assert set(visits) == {(303, 200, True)}
    assert len(world.rows.sessions) == 60


def test_one_person_in_many_browsers(world: World) -> None:
    """Twenty browsers sign the same person in at once; all are in, each with a session of its own."""
    app = world.app(gate=gate_for(20))

    with ThreadPoolExecutor(20) as browsers:
        answers = list(browsers.map(lambda _: post(app, "/", f"username=alice&password={quote(PASSWORD)}"), range(20)))

    assert {answer.status for answer in answers} == {303}
    assert len({answer.get("Set-Cookie") for answer in answers}) == len(world.rows.sessions) == 20


def test_a_full_gate_sheds_at_once(world: World) -> None:
    """Beyond the places at the gate the answer is 503 with Retry-After, and who has a place is served."""
    app = world.app(gate=Gate(threads=1, waiting=1))

    with ThreadPoolExecutor(16) as browsers:
        answers = list(browsers.map(lambda _: post(app, "/", f"username=alice&password={quote(PASSWORD)}"), range(64)))

    assert {answer.status for answer in answers} <= {303, 503}
    assert sum(answer.status == 303 for answer in answers) == len(world.rows.sessions) >= 1
    assert {answer.get("Retry-After") for answer in answers if answer.status == 503} <= {"2"}
