"""The fair queues: which jobs have a place, which are evicted, and whose turn it is."""

from service.hashing.fair_queue import HALVED_EVERY, FairQueue, FairQueues, Job, Key


def ready_job(queue: FairQueue, name: str, *, room: int = 2) -> Job | None:
    """Return a job that joined the queue and is ready, or None."""
    return ready(queue.join(Key(name), room=room)[0])


def ready(job: Job | None) -> Job | None:
    """Give a job its work."""
    if job is not None:
        job.work = str
    return job


def served(queue: FairQueue | FairQueues) -> str | None:
    """Return the key of the job that is served next."""
    job = queue.next()
    return job.key.name if job else None


def test_the_first_job_is_served_first() -> None:
    """Among the jobs that are ready."""
    queue = FairQueue()
    queue.join(Key("not ready"), room=9)
    for name in ("a", "b"):
        ready_job(queue, name, room=9)

    assert [served(queue), served(queue), served(queue)] == ["a", "b", None]


def test_a_network_may_fill_the_queue_when_there_is_no_other() -> None:
    """An office behind one address signs in at nine: as many jobs as there is room for, and no more."""
    queue = FairQueue()

    joined = [queue.join(Key("an office"), room=5)[0] is not None for _ in range(7)]

    assert joined == [True] * 5 + [False] * 2


def test_a_key_with_several_jobs_loses_one_to_a_key_without() -> None:
    """Its latest job first; at last all of them, for it came more often than each of the others."""
    queue = FairQueue()
    for _ in range(3):
        ready_job(queue, "a flood", room=3)

    evicted = [queue.join(Key(name), room=3)[1] for name in ("a", "b", "c", "d")]

    assert [out and out.key.name for out in evicted] == ["a flood", "a flood", "a flood", None]
    assert [job.key.name for job in queue._waiting] == ["a", "b", "c"]


def test_the_key_that_came_most_often_is_evicted() -> None:
    """A new key evicts the one that came most often; a key that came as often as the others is refused."""
    queue = FairQueue()
    for name in ("rarely", "often", "often"):
        job = ready_job(queue, name)
        assert job is not None
        queue.leave(job)
    for name in ("rarely", "often"):
        ready_job(queue, name)

    _, out_first = queue.join(Key("never"), room=2)
    refused = queue.join(Key("often"), room=2)

    assert out_first is not None
    assert (out_first.key.name, out_first.is_evicted) == ("often", True)
    assert refused == (None, None)


def test_a_refused_job_counts() -> None:
    """A flood that is shed comes ever more often, so a client that tries again has a place before it."""
    queue = FairQueue()
    ready_job(queue, "a", room=1)
    for _ in range(9):
        ready_job(queue, "a flood", room=1)
    queue.next()
    ready_job(queue, "a flood", room=1)

    assert ready_job(queue, "a", room=1) is not None


def test_among_equals_the_queue_is_full() -> None:
    """No job is evicted for a key that came as often."""
    queue = FairQueue()
    ready_job(queue, "a")
    ready_job(queue, "b")

    assert ready_job(queue, "c") is None


def test_old_counts_fade() -> None:
    """An attacker with many networks fills no memory, and a count does not last for ever."""
    queue = FairQueue()
    for _ in range(3):
        queue.join(Key("early"), room=0)
    for number in range(3 * HALVED_EVERY):
        queue.join(Key(str(number)), room=0)

    assert queue._came["early"] == 0
    assert len(queue._came) <= HALVED_EVERY


def test_leaving_twice_is_harmless() -> None:
    """A job that was served or evicted is not in the queue any more."""
    queue = FairQueue()
    job = ready_job(queue, "a")
    assert job is not None

    queue.leave(job)
    queue.leave(job)

    assert served(queue) is None


def come(queues: FairQueues, *names: str, free: int = 0, places: int = 4) -> list[str]:
    """Have jobs join one after the other, those of known clients in capitals; return the ones that got a place."""
    return [
        name
        for name in names
        if ready(queues.join(Key(name, is_known=name.isupper()), free=free, places=places)[0]) is not None
    ]


def test_known_clients_and_others_leave_a_place_to_each_other() -> None:
    """However many jobs come: one queue never fills the other."""
    assert come(FairQueues(), "a", "b", "c", "d", "e", "A", "B") == ["a", "b", "c", "A"]
    assert come(FairQueues(), "A", "B", "a", "b", "c", "d") == ["A", "a", "b", "c"]


def test_there_is_a_place_for_each_when_hashes_take_long() -> None:
    """With one place in all."""
    assert come(FairQueues(), "a", "b", "A", "B", places=1) == ["a", "A"]


def test_free_threads_are_room_too() -> None:
    """A job that takes one of them does not wait."""
    assert come(FairQueues(), "a", "b", "c", "d", "e", free=1) == ["a", "b", "c", "d"]


def test_the_queues_are_served_in_turn() -> None:
    """One job of each, so that neither waits for the whole of the other; one queue alone is served without a pause."""
    queues = FairQueues()
    come(queues, "a", "b", "c", "d", "A", "B", places=9)

    assert [served(queues) for _ in range(7)] == ["A", "a", "B", "b", "c", "d", None]


def test_a_known_client_keeps_no_other_known_client_out() -> None:
    """With many devices of one account, and other networks besides; however often the other client tries."""
    queues = FairQueues()
    for _ in range(20):
        come(queues, "MALLORY", "MALLORY", "a", "b", "c")

    assert [come(queues, "ALICE") for _ in range(9)] == [["ALICE"]] + [[]] * 8
    assert served(queues) == "ALICE"
    assert come(queues, "MALLORY", "ALICE") == ["MALLORY", "ALICE"]


def test_a_job_that_leaves_makes_room() -> None:
    """In the queue in which it was."""
    queues = FairQueues()
    for name in ("A", "a"):
        job, _ = queues.join(Key(name, is_known=name.isupper()), free=0, places=1)
        assert job is not None
        queues.leave(job)

    assert come(queues, "b", "B", places=1) == ["b", "B"]
