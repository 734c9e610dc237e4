"""What the stores say at one moment, for `vestibule status`."""

from dataclasses import dataclass
from typing import Final

from service.login.attempts import Tally

SIGN_IN_SECONDS: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class Answer:
    """How a store answers: its name and version, in how many seconds, or why it cannot be used."""

    name: str
    seconds: float = 0.0
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """The revision of the tables (None: there are none), the newest that this release knows, and who may use them."""

    revision: str | None
    newest: str
    oldest_release: str | None = None

    @property
    def are_pending(self) -> bool:
        """Whether `db upgrade` is due."""
        return (self.revision or "") < self.newest


@dataclass(frozen=True, slots=True)
class SignIns:
    """Sign-ins of accounts within SIGN_IN_SECONDS; `refused_known` are those refused from known devices."""

    granted: int = 0
    refused: int = 0
    refused_known: int = 0


@dataclass(frozen=True, slots=True)
class StoreState:
    """What the stores say at one moment; None is what could not be read.

    `counters` is where attempts are counted. The tallies are of each throttle's own window, the most attempts first.
    `is_first_start`: the database was never made.
    """

    database: Answer = Answer("none")
    counters: Answer = Answer("none")
    tables: Tables | None = None
    sign_ins: SignIns | None = None
    sign_ins_day_before: SignIns | None = None
    networks: tuple[Tally, ...] | None = None
    accounts: tuple[Tally, ...] | None = None
    blocked: int = 0
    is_first_start: bool = False
    last_backup: int | None = None
