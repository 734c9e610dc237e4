"""People who come into a flood, each once and from a network that sent nothing before, with the right password."""

import heapq
import math
import selectors
from collections.abc import Sequence
from typing import Final

from tests.bench.load import Client

_IN: Final = 303
_LATER: Final = frozenset({429, 503})


class Visitors:
    """Arrivals of an open loop that obey Retry-After until they are in, on a new connection for each try."""

    def __init__(self, port: int, requests: Sequence[bytes], moments: Sequence[float], *, first_network: int) -> None:
        self.took = [math.inf for _ in requests]
        self.tries = 0
        self._port, self._requests, self._moments, self._first_network = port, requests, moments, first_network
        self._coming = [(moment, number) for number, moment in enumerate(moments)]
        self._under_way: dict[Client, int] = {}

    def due(self) -> float:
        return self._coming[0][0] if self._coming else math.inf

    def send(self, now: float, selector: selectors.BaseSelector) -> None:
        while self.due() <= now:
            _, number = heapq.heappop(self._coming)
            client = Client(self._port, self._first_network + number)
            selector.register(client.socket, selectors.EVENT_READ, (self, client))
            client.socket.sendall(self._requests[number])
            self._under_way[client] = number
            self.tries += 1

    def receive(self, client: Client, now: float, selector: selectors.BaseSelector) -> None:
        status = client.take()
        if status is None:
            return
        number = self._under_way.pop(client)
        selector.unregister(client.socket)
        client.socket.close()
        if status == _IN:
            self.took[number] = now - self._moments[number]
            return
        assert status in _LATER, status
        heapq.heappush(self._coming, (now + client.retry_after, number))

    def end(self, now: float) -> None:
        """A visitor who is still outside counts as signed in at this moment: it cannot have been earlier."""
        for client in self._under_way:
            client.socket.close()
        self.took = [min(took, now - moment) for took, moment in zip(self.took, self._moments, strict=True)]
