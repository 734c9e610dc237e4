"""An open loop: requests leave by schedule, however late the answers to earlier ones are.

Every time is counted from the moment at which a request was due, so a stall shows in all who came meanwhile, not in
one of them. Moments are seconds since the loop began. One thread serves all connections; it reports how late it was.
"""

import math
import random
import selectors
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from tests.bench.load import Client

BROKEN_OFF: Final = 0


@dataclass(frozen=True, slots=True)
class Timed:
    """When a request was due, how long its answer took from then, and the status: 0 when there was no answer."""

    due: float
    seconds: float
    status: int


def schedule(*, each_second: float, since: float, until: float) -> list[float]:
    """Return moments at a steady rate, each anywhere within its own share of the time: no two kinds march in step."""
    chance = random.Random(each_second)  # noqa: S311 - the same schedule in every run
    return [since + (number + chance.random()) / each_second for number in range(round((until - since) * each_second))]


class Arrivals(Protocol):
    """One kind of requests."""

    def due(self) -> float:
        """Return the moment of the next request; infinity while there is none, or no connection for it."""

    def send(self, now: float, selector: selectors.BaseSelector) -> None:
        """Send everything that is due."""

    def receive(self, client: Client, now: float, selector: selectors.BaseSelector) -> None:
        """Take what arrived on one of its connections."""

    def end(self, now: float) -> None:
        """Close them, and say what did not come back."""


def run(arrivals: Sequence[Arrivals], seconds: float) -> float:
    """Send and receive for that long; return how many seconds of a processor this took itself."""
    cpu, began = time.process_time(), time.perf_counter()
    with selectors.DefaultSelector() as selector:
        while (now := time.perf_counter() - began) < seconds:
            for each in arrivals:
                each.send(now, selector)
            wait = min(seconds, *(each.due() for each in arrivals)) - (time.perf_counter() - began)
            for key, _ in selector.select(max(0, wait)):
                kind, client = key.data
                kind.receive(client, time.perf_counter() - began, selector)
    for each in arrivals:
        each.end(seconds)
    return time.process_time() - cpu


class Stream:
    """Requests in turn, each on the connection that has been free for longest, or as soon as one is."""

    def __init__(
        self, port: int, requests: Sequence[bytes], moments: Sequence[float], *, networks: range, until: float
    ) -> None:
        """Each connection comes from a network of its own. What has not left at the end of the stream never will."""
        self.answers: list[Timed] = []
        self.late: list[float] = []
        self._port, self._requests, self._moments, self._until = port, requests, moments, until
        self._sent = 0
        self._free = deque((number, 0.0) for number in networks)
        self._open: dict[int, Client] = {}
        self._under_way: dict[Client, float] = {}

    def due(self) -> float:
        return self._moments[self._sent] if self._free and self._sent < len(self._moments) else math.inf

    def send(self, now: float, selector: selectors.BaseSelector) -> None:
        if now >= self._until:
            self._moments = self._moments[: self._sent]
        while (due := self.due()) <= now:
            network, free_since = self._free.popleft()
            client = self._open.get(network) or self._connect(network, selector)
            with suppress(OSError):  # it was closed, and will say so when it is read
                client.socket.sendall(self._requests[self._sent % len(self._requests)])
            self.late.append(now - max(due, free_since))
            self._under_way[client] = due
            self._sent += 1

    def _connect(self, network: int, selector: selectors.BaseSelector) -> Client:
        client = self._open[network] = Client(self._port, network)
        selector.register(client.socket, selectors.EVENT_READ, (self, client))
        return client

    def receive(self, client: Client, now: float, selector: selectors.BaseSelector) -> None:
        try:
            status = client.take()
        except OSError:
            status = BROKEN_OFF
            selector.unregister(client.socket)
            self._open.pop(client.number).socket.close()
        if status is not None and (due := self._under_way.pop(client, None)) is not None:
            self.answers.append(Timed(due, now - due, status))
            self._free.append((client.number, now))

    def end(self, now: float) -> None:
        unanswered = [*self._under_way.values(), *self._moments[self._sent :]]
        self.answers += [Timed(due, now - due, BROKEN_OFF) for due in unanswered]
        for client in self._open.values():
            client.socket.close()
