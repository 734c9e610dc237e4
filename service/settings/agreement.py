"""Whether settings agree with one another: what each allows alone, and only some allow together."""

from collections.abc import Callable, Iterator
from typing import Final

from service.settings import listeners
from service.settings.fields import Settings
from service.settings.kinds import spelled_duration

# (the settings concerned, a sentence in which {0}, {1} stand for their names)
Disagreement = tuple[tuple[str, ...], str]
# OWASP ASVS 5.0, appendix C: passes over the memory, and the KiB that so many need at least.
_LEAST_MEMORY: Final = {1: 47_104, 2: 19_456, 3: 12_288}


def disagreements(settings: Settings) -> Iterator[Disagreement]:
    """Yield everything that does not go together."""
    for check in _CHECKS:
        yield from check(settings)


def _lifetimes(settings: Settings) -> Iterator[Disagreement]:
    for shorter, longer, why in (
        ("idle", "absolute", "a session cannot rest for longer than it lives"),
        ("remember_idle", "remember_absolute", "a session cannot rest for longer than it lives"),
        ("idle", "remember_idle", "people who chose to stay signed in would be out before the others"),
        ("absolute", "remember_absolute", "people who chose to stay signed in would be out before the others"),
    ):
        low, high = getattr(settings.sessions, shorter), getattr(settings.sessions, longer)
        if low > high:
            words = f"{{0}} ({spelled_duration(low)}) is longer than {{1}} ({spelled_duration(high)}): {why}"
            yield (f"sessions.{shorter}", f"sessions.{longer}"), words


def _cookie_domain(settings: Settings) -> Iterator[Disagreement]:
    names, domain, public = ("sessions.cookie_domain", "public_url"), settings.sessions.cookie_domain, settings.public
    if domain is None:
        return
    if not public.is_https:
        yield names, "{0} needs https: browsers share only secure cookies under our name; {1} is plain http"
    elif public.host != domain and not public.host.endswith(f".{domain}"):
        yield (
            names,
            f"{{0}} ({domain}) is no parent of the host in {{1}} ({public.host}): browsers would drop the cookie",
        )


def _hashing_cost(settings: Settings) -> Iterator[Disagreement]:
    passes, memory = settings.passwords.iterations, settings.passwords.memory
    least = _LEAST_MEMORY[min(passes, max(_LEAST_MEMORY))]
    if memory < least:
        words = (
            f"{{0}} ({memory}k) is too little with {passes} in {{1}}: at least {least}k, or more passes (ASVS 11.4.2)"
        )
        yield ("passwords.memory", "passwords.iterations"), words


def _free_threads(settings: Settings) -> Iterator[Disagreement]:
    """A flood may fill the hash threads, a line of one and a known device's place, never a worker's last thread."""
    threads, hashing = settings.server.threads, settings.hash_threads_per_worker
    if hashing + 2 >= threads:
        words = (
            f"{{0}} ({threads}) is too little beside {hashing} hash threads in each worker and whoever waits for one: "
            f"nobody else would be answered. Raise {{0}}, or {{2}}, or lower {{1}}"
        )
        yield ("server.threads", "hashing.threads", "server.workers"), words


def _outer_limits(settings: Settings) -> Iterator[Disagreement]:
    edge, minute = settings.limits.edge_post_per_second, settings.limits.post_per_minute
    if edge * 60 < minute:
        words = (
            f"{{0}} ({edge}) is less than {{1}} ({minute}) allows: nginx would refuse before the service can explain"
        )
        yield ("limits.edge_post_per_second", "limits.post_per_minute"), words


def _listeners(settings: Settings) -> Iterator[Disagreement]:
    if listeners.overlap(settings.ops_listen, settings.server.listen):
        ops, public = map(listeners.LISTENERS.write, (settings.ops_listen, settings.server.listen))
        words = f"{{0}} ({ops}) and {{1}} ({public}) are the same place: choose another port"
        yield ("ops_listen", "server.listen"), words


_CHECKS: Final[tuple[Callable[[Settings], Iterator[Disagreement]], ...]] = (
    _lifetimes,
    _cookie_domain,
    _hashing_cost,
    _free_threads,
    _outer_limits,
    _listeners,
)
