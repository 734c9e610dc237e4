"""The lines before the gate: who has a right to a place, and whose turn it is."""

from service.hashing.fair_queue import FADES_EVERY, FairQueue, FairQueues, Job, Key


def seated(queue: FairQueue, name: str, *, room: int = 2) -> Job | None:
    """Have somebody join a line, ready to be served."""
    return ready(queue.join(Key(name), room=room)[0])


def ready(job: Job | None) -> Job | None:
    """Say what to do for somebody who has a place."""
    if job is not None:
        job.work = str
    return job


def served(queue: FairQueue | FairQueues) -> str | None:
    """Return who is served next."""
    job = queue.next()
    return job.key.name if job else None


def test_whoever_comes_first_is_served_first() -> None:
    """Among those who are ready."""
    queue = FairQueue()
    queue.join(Key("not ready"), room=9)
    for name in ("a", "b"):
        seated(queue, name, room=9)

    assert [served(queue), served(queue), served(queue)] == ["a", "b", None]


def test_a_network_may_fill_the_line_while_nobody_else_wants_it() -> None:
    """An office behind one address signs in at nine: as many as there is room for, and no more."""
    queue = FairQueue()

    joined = [queue.join(Key("an office"), room=5)[0] is not None for _ in range(7)]

    assert joined == [True] * 5 + [False] * 2


def test_a_network_with_several_places_gives_way_to_one_without() -> None:
    """Its latest waiter first; at last all of them, for it came more often than each of the others."""
    queue = FairQueue()
    for _ in range(3):
        seated(queue, "a flood", room=3)

    evicted = [queue.join(Key(name), room=3)[1] for name in ("a", "b", "c", "d")]

    assert [out and out.key.name for out in evicted] == ["a flood", "a flood", "a flood", None]
    assert [job.key.name for job in queue._waiting] == ["a", "b", "c"]


def test_the_right_to_a_place_goes_to_whoever_came_least_often() -> None:
    """Who never came pushes out who came before; who came as often as the others waits their chance."""
    queue = FairQueue()
    for name in ("rarely", "often", "often"):
        job = seated(queue, name)
        assert job is not None
        queue.leave(job)
    for name in ("rarely", "often"):
        seated(queue, name)

    _, out_first = queue.join(Key("never"), room=2)
    refused = queue.join(Key("often"), room=2)

    assert out_first is not None
    assert (out_first.key.name, out_first.is_evicted) == ("often", True)
    assert refused == (None, None)


def test_who_is_turned_away_came_all_the_same() -> None:
    """A flood that is shed has less and less right, so a person who tries again gets in before it."""
    queue = FairQueue()
    seated(queue, "a", room=1)
    for _ in range(9):
        seated(queue, "a flood", room=1)
    queue.next()
    seated(queue, "a flood", room=1)

    assert seated(queue, "a", room=1) is not None


def test_among_equals_the_line_is_full() -> None:
    """Nobody who waits is pushed out by somebody with the same right."""
    queue = FairQueue()
    seated(queue, "a")
    seated(queue, "b")

    assert seated(queue, "c") is None


def test_what_is_long_ago_fades() -> None:
    """An attacker with many networks fills no memory, and nobody has less right for ever."""
    queue = FairQueue()
    for _ in range(3):
        queue.join(Key("early"), room=0)
    for number in range(3 * FADES_EVERY):
        queue.join(Key(str(number)), room=0)

    assert queue._tries["early"] == 0
    assert len(queue._tries) <= FADES_EVERY


def test_leaving_twice_is_leaving() -> None:
    """Who was served or pushed out meanwhile is not in the line any more."""
    queue = FairQueue()
    job = seated(queue, "a")
    assert job is not None

    queue.leave(job)
    queue.leave(job)

    assert served(queue) is None


def come(lines: FairQueues, *names: str, free: int = 0, places: int = 4) -> list[str]:
    """Have people come one after the other, known ones in capitals; return who got a place."""
    return [
        name
        for name in names
        if ready(lines.join(Key(name, is_known=name.isupper()), free=free, places=places)[0]) is not None
    ]


def test_strangers_leave_a_place_for_the_known_and_the_known_for_strangers() -> None:
    """However many come: one line never fills the other."""
    assert come(FairQueues(), "a", "b", "c", "d", "e", "A", "B") == ["a", "b", "c", "A"]
    assert come(FairQueues(), "A", "B", "a", "b", "c", "d") == ["A", "a", "b", "c"]


def test_there_is_a_place_for_each_when_hashes_take_long() -> None:
    """With one place in all."""
    assert come(FairQueues(), "a", "b", "A", "B", places=1) == ["a", "A"]


def test_free_threads_are_room_too() -> None:
    """Whoever takes one of them does not wait."""
    assert come(FairQueues(), "a", "b", "c", "d", "e", free=1) == ["a", "b", "c", "d"]


def test_the_lines_are_served_in_turn() -> None:
    """One of each, so that neither waits for the whole of the other; and alone a line is served without a pause."""
    lines = FairQueues()
    come(lines, "a", "b", "c", "d", "A", "B", places=9)

    assert [served(lines) for _ in range(7)] == ["A", "a", "B", "b", "c", "d", None]


def test_an_insider_keeps_nobody_out_who_is_known() -> None:
    """With many devices of one account, and strangers' networks besides; however often the other known person tries."""
    lines = FairQueues()
    for _ in range(20):
        come(lines, "MALLORY", "MALLORY", "a", "b", "c")

    assert [come(lines, "ALICE") for _ in range(9)] == [["ALICE"]] + [[]] * 8
    assert served(lines) == "ALICE"
    assert come(lines, "MALLORY", "ALICE") == ["MALLORY", "ALICE"]


def test_whoever_leaves_makes_room() -> None:
    """In the line in which they were."""
    lines = FairQueues()
    for name in ("A", "a"):
        job, _ = lines.join(Key(name, is_known=name.isupper()), free=0, places=1)
        assert job is not None
        lines.leave(job)

    assert come(lines, "b", "B", places=1) == ["b", "B"]
