"""Sends probes to one address, and reads their echoes."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Final

from service.access import probe
from service.access.apps import App
from service.access.probe import Purpose
from service.access.public_address import PublicAddress
from service.cli.doctor.client import Answer, Client, Headers, NoAnswer
from service.cli.doctor.echoes import Echo, Signer, echo_in

_CLOCKS_DIFFER_SECONDS: Final = probe.LIFE // 2


@dataclass(frozen=True)
class Reply:
    """What came of a probe: an echo, or what else, in words."""

    echo: Echo | None
    answer: Answer | None
    what: str


class Prober:
    """Probes of one address; `app` is None for the login's own."""

    def __init__(self, client: Client, signer: Signer, address: PublicAddress, app: App | None) -> None:
        self.client, self.address, self.app = client, address, app
        self._signer = signer

    def header(self, purpose: Purpose) -> tuple[str, str]:
        return self._signer.header(self.address, purpose, now=time())

    def first(self) -> Reply:
        """Send the first probe, which has no identity; once more by the proxies' clock, where that is another one."""
        reply = self.send(Purpose.ECHO)
        date = date_of(reply.answer) if reply.answer else None
        if reply.answer and date and not reply.echo and abs(date - reply.answer.at) > _CLOCKS_DIFFER_SECONDS:
            self._signer = Signer(self._signer.keys, int(date - reply.answer.at))
            reply = self.send(Purpose.ECHO)
        return reply

    def send(
        self, purpose: Purpose = Purpose.IDENTITY, headers: Headers = (), *, target: str = probe.PATH,
        host: str | None = None, method: str = "GET", body: bytes = b"",
    ) -> Reply:  # fmt: skip
        sent = [self.header(purpose), *headers]
        try:
            answer = self.client.ask(self.address, target, method=method, headers=sent, host=host, body=body)
        except NoAnswer as reason:
            return Reply(None, None, f"gets no answer ({reason})")
        echo = echo_in(answer.body, self.app) if answer.status == 200 else None  # noqa: PLR2004 - a status
        return Reply(echo, answer, f"is answered with {answer.status}")


def date_of(answer: Answer) -> float | None:
    try:
        return parsedate_to_datetime(answer.get("Date")).timestamp()
    except ValueError:
        return None
