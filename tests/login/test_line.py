"""The line before the gate: who has a right to a place."""

from service.login import line
from service.login.line import Line, Seat, Waiter


def seated(queue: Line, name: str, *, places: int = 2, is_known: bool = False) -> Waiter | None:
    """Have somebody join a line behind a gate without a free thread, ready to be served."""
    waiter, _ = queue.join(Seat(name, is_known=is_known), free=0, places=places)
    if waiter is not None:
        waiter.work = str
    return waiter


def served(queue: Line) -> str | None:
    """Return who is served next."""
    waiter = queue.next()
    return waiter.seat.name if waiter else None


def test_whoever_comes_first_is_served_first() -> None:
    """Among those who are ready."""
    queue = Line()
    queue.join(Seat("not ready"), free=0, places=9)
    for name in ("a", "b"):
        seated(queue, name, places=9)

    assert [served(queue), served(queue), served(queue)] == ["a", "b", None]


def test_a_network_may_fill_the_line_while_nobody_else_wants_it() -> None:
    """An office behind one address signs in at nine: as many as threads and places, and no more."""
    queue = Line()

    joined = [queue.join(Seat("an office"), free=2, places=3)[0] is not None for _ in range(7)]

    assert joined == [True] * 5 + [False] * 2


def test_a_network_with_several_places_gives_way_to_one_without() -> None:
    """Its latest waiter first; at last all of them, for it came more often than each of the others."""
    queue = Line()
    for _ in range(3):
        seated(queue, "a flood", places=3)

    pushed_out = [queue.join(Seat(name), free=0, places=3)[1] for name in ("a", "b", "c", "d")]

    assert [out and out.seat.name for out in pushed_out] == ["a flood", "a flood", "a flood", None]
    assert [waiter.seat.name for waiter in queue._waiting] == ["a", "b", "c"]


def test_the_right_to_a_place_goes_to_whoever_came_least_often() -> None:
    """Who never came pushes out who came before; who came as often as the others waits their chance."""
    queue = Line()
    for name in ("rarely", "often", "often"):
        waiter = seated(queue, name)
        assert waiter is not None
        queue.leave(waiter)
    for name in ("rarely", "often"):
        seated(queue, name)

    _, out_first = queue.join(Seat("never"), free=0, places=2)
    refused = queue.join(Seat("often"), free=0, places=2)

    assert out_first is not None
    assert (out_first.seat.name, out_first.is_out) == ("often", True)
    assert refused == (None, None)


def test_who_is_turned_away_came_all_the_same() -> None:
    """A flood that is shed has less and less right, so a person who tries again gets in before it."""
    queue = Line()
    seated(queue, "a", places=1)
    for _ in range(9):
        seated(queue, "a flood", places=1)
    queue.next()
    seated(queue, "a flood", places=1)

    assert seated(queue, "a", places=1) is not None


def test_among_equals_the_line_is_full() -> None:
    """Nobody who waits is pushed out by somebody with the same right."""
    queue = Line()
    seated(queue, "a")
    seated(queue, "b")

    assert seated(queue, "c") is None


def test_nobody_pushes_out_a_known_device() -> None:
    """Not even a network that never came."""
    queue = Line()
    for _ in range(3):
        for name in ("mine", "yours"):
            seated(queue, name, is_known=True)

    assert seated(queue, "never") is None


def test_one_person_with_many_devices_is_known_once_at_a_time() -> None:
    """Whoever waits in the name of the same account gives way like anybody else; another known person gets in."""
    queue = Line()
    for _ in range(4):
        seated(queue, "mallory's account", is_known=True)

    assert seated(queue, "alice's account", is_known=True) is not None
    assert [waiter.seat.is_known for waiter in queue._waiting if waiter.seat.name == "mallory's account"][:1] == [True]
    assert sum(waiter.seat.is_known for waiter in queue._waiting) == 2


def test_what_is_long_ago_fades() -> None:
    """An attacker with many networks fills no memory, and nobody has less right for ever."""
    queue = Line()
    for _ in range(3):
        queue.join(Seat("early"), free=0, places=0)
    for number in range(3 * line.FADES_EVERY):
        queue.join(Seat(str(number)), free=0, places=0)

    assert queue._tries["early"] == 0
    assert len(queue._tries) <= line.FADES_EVERY


def test_leaving_twice_is_leaving() -> None:
    """Who was served or pushed out meanwhile is not in the line any more."""
    queue = Line()
    waiter = seated(queue, "a")
    assert waiter is not None

    queue.leave(waiter)
    queue.leave(waiter)

    assert served(queue) is None
