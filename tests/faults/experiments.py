"""The experiments, by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Final

from tests.faults import databases, disks, exchanged, floods, killed, memory, restored, secret_keys
from tests.faults.findings import Findings


@dataclass(frozen=True)
class Experiment:
    """A name, what happens, and what tries it."""

    name: str
    run: Callable[[Findings], None]

    @property
    def what(self) -> str:
        """What happens: the sentence of the function that does it."""
        return cleandoc(str(self.run.__doc__)).partition("\n")[0]

    @property
    def explained(self) -> str:
        """The same with what an operator should know about it, as one paragraph."""
        return " ".join(cleandoc(str(self.run.__doc__)).split())


EXPERIMENTS: Final = (
    Experiment("F-01", killed.worker),
    Experiment("F-02", killed.master),
    Experiment("F-03", exchanged.reload),
    Experiment("F-05-sqlite", disks.sqlite),
    Experiment("F-05-postgresql", disks.postgresql),
    Experiment("F-07", killed.everything),
    Experiment("F-09", databases.crash),
    Experiment("F-11", floods.wrong_passwords),
    Experiment("F-12", floods.slow_and_large),
    Experiment("F-16", secret_keys.changed),
    Experiment("F-18", exchanged.releases),
    Experiment("F-20", memory.soak),
    Experiment("F-21", memory.too_little),
    Experiment("F-24-sqlite", restored.backups),
    Experiment("F-24-postgresql", restored.dumps),
    Experiment("instance", exchanged.killed_instance),
    Experiment("postgresql-failover", databases.failover),
    Experiment("pgbouncer", databases.pooler),
    Experiment("redis-failover", databases.counters),
)
