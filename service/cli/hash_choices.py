"""What the cost of a hash may be set to, each choice measured on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from service.cli.hash_speed import Speed, measure
from service.login.guessing import Guess
from service.login.passwords import Parameters
from service.machine import free_memory
from service.settings import CATALOGUE, Settings

# From the least that the settings accept (OWASP ASVS 5.0, 11.4.2) to ten times that; with four lanes: RFC 9106, 4.
CHOICES: Final = (
    Parameters(12_288, 3, 1),
    Parameters(19_456, 2, 1),
    Parameters(47_104, 1, 1),
    Parameters(65_536, 3, 1),
    Parameters(65_536, 3, 4),
    Parameters(131_072, 3, 1),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One choice, and how fast it is with so many threads; None where there is no memory for that."""

    parameters: Parameters
    threads: int
    speed: Speed | None

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of it, for us and for an attacker; what was not measured is None."""
        cost, speed = self.parameters, self.speed
        guess = speed and Guess(speed.processor_seconds)
        return {
            "memory_kib": cost.memory_kib,
            "iterations": cost.iterations,
            "parallelism": cost.parallelism,
            "milliseconds": speed and round(speed.seconds * 1000, 2),
            "sign_ins_per_second": speed and round(speed.per_second, 2),
            "peak_memory_kib": self.threads * cost.memory_kib,
            "guesses_per_second": guess and round(guess.per_second, 2),
            "processor_hours_for_a_million_guesses": guess and round(guess.hours_for_a_million, 3),
            "gib_for_a_guess": round(cost.memory_kib / 1024**2, 4),
        }


def present(settings: Settings) -> Parameters:
    """Return what the settings say now."""
    chosen = settings.passwords
    return Parameters(chosen.memory, chosen.iterations, chosen.parallelism)


def choices(now: Parameters) -> list[Parameters]:
    """Return the choices, the present one among them, by the work that they make."""
    return sorted({now, *CHOICES}, key=lambda each: (_work(each), each.memory_kib, each.parallelism))


def measured(parameters: Parameters, *, threads: int, seconds: float) -> Measured:
    """Measure one choice; but not where that could get somebody killed: the service may live of the same memory."""
    free = free_memory()
    if free is not None and threads * parameters.memory_kib > free:
        return Measured(parameters, threads, None)
    return Measured(parameters, threads, measure(parameters, threads=threads, seconds=seconds))


def spelled(parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Yield the settings of a choice, memory, passes and lanes, by their environment names and as one types them."""
    values = (parameters.memory_kib, parameters.iterations, parameters.parallelism)
    for name, value in zip(("memory", "iterations", "parallelism"), values, strict=True):
        setting = CATALOGUE[f"passwords.{name}"]
        yield setting.environment, str(setting.shown(value))


def another(now: Parameters) -> dict[str, str]:
    """Return what to type for the next stronger choice, or for the strongest below; lanes only where they change."""
    stronger = [each for each in CHOICES if _work(each) > _work(now)]
    other = stronger[0] if stronger else [each for each in CHOICES if each != now][-1]
    typed, before = dict(spelled(other)), dict(spelled(now))
    return {name: value for name, value in typed.items() if value != before[name] or not name.endswith("PARALLELISM")}


def _work(parameters: Parameters) -> int:
    return parameters.memory_kib * parameters.iterations
