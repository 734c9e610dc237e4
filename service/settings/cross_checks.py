"""Cross checks: values that each setting takes alone, and that contradict one another."""

import os
from collections.abc import Iterator
from typing import Final

from service.listeners import overlap
from service.settings.addresses import LISTENERS
from service.settings.fields import Settings
from service.settings.kinds import spelled_duration

# (the settings concerned, a sentence in which {0}, {1} stand for their names)
Contradiction = tuple[tuple[str, ...], str]
# OWASP ASVS 5.0, appendix C: passes over the memory, and the KiB that so many need at least.
_LEAST_MEMORY: Final = {1: 47_104, 2: 19_456, 3: 12_288}


def contradictions(settings: Settings) -> Iterator[Contradiction]:
    for check in (_lifetimes, _cookie_domain, _hashing_cost, _free_threads, _outer_limits, _listeners, _instances):
        yield from check(settings)


def _lifetimes(settings: Settings) -> Iterator[Contradiction]:
    for shorter, longer in (
        ("idle", "absolute"),
        ("remember_idle", "remember_absolute"),
        ("idle", "remember_idle"),
        ("absolute", "remember_absolute"),
    ):
        low, high = getattr(settings.sessions, shorter), getattr(settings.sessions, longer)
        if low > high:
            sentence = f"{{0}} ({spelled_duration(low)}) must not be longer than {{1}} ({spelled_duration(high)})"
            yield (f"sessions.{shorter}", f"sessions.{longer}"), sentence


def _cookie_domain(settings: Settings) -> Iterator[Contradiction]:
    names, domain, public = ("sessions.cookie_domain", "public_url"), settings.sessions.cookie_domain, settings.public
    if domain is None:
        return
    if not public.is_https:
        yield names, "{0} needs an address with https:// in {1}"
    elif public.host != domain and not public.host.endswith(f".{domain}"):
        yield names, f"{{0}} ({domain}) must be the host in {{1}} ({public.host}) or a parent domain of it"


def _hashing_cost(settings: Settings) -> Iterator[Contradiction]:
    passes, memory = settings.passwords.iterations, settings.passwords.memory
    least = _LEAST_MEMORY[min(passes, max(_LEAST_MEMORY))]
    if memory < least:
        sentence = f"{{0}} ({memory}k) must be at least {least}k while {{1}} is {passes} (ASVS 11.4.2)"
        yield ("passwords.memory", "passwords.iterations"), sentence


def _free_threads(settings: Settings) -> Iterator[Contradiction]:
    threads, gate = settings.server.threads, settings.gate_size
    if gate.left < 1:
        sentence = (
            f"{{0}} ({threads}) must be at least {gate.threads + 3}, or {{1}} lower or {{2}} higher: each worker has "
        )
        sentence += f"{gate.threads} hash threads, and no thread would be left for other requests"
        yield ("server.threads", "hashing.threads", "server.workers"), sentence


def _outer_limits(settings: Settings) -> Iterator[Contradiction]:
    edge, minute = settings.limits.edge_post_per_second, settings.limits.post_per_minute
    if edge * 60 < minute:
        sentence = f"{{0}} ({edge} a second) must not be less than {{1}} ({minute} a minute)"
        yield ("limits.edge_post_per_second", "limits.post_per_minute"), sentence


def _listeners(settings: Settings) -> Iterator[Contradiction]:
    if overlap(settings.ops_listen, settings.server.listen):
        ops, public = map(LISTENERS.write, (settings.ops_listen, settings.server.listen))
        yield ("ops_listen", "server.listen"), f"{{0}} ({ops}) and {{1}} ({public}) overlap: choose another port"


def _instances(settings: Settings) -> Iterator[Contradiction]:
    sockets = [os.path.realpath(path) for path in settings.server.instances]
    for path in sorted({path for path in sockets if sockets.count(path) > 1}):
        yield ("server.instances",), f"{{0}} names the socket {path} twice: each instance has its own"


def unreached(settings: Settings) -> Iterator[str]:
    """Say when nginx, rendered with these settings, leads to other instances only."""
    own, led_to = settings.socket_path.resolve(), [path.resolve() for path in settings.server.instances]
    if led_to and own not in led_to:
        yield (
            f"nginx passes no request to this instance, whose socket is {own}: add it to VESTIBULE_SERVER__INSTANCES, "
            "or correct VESTIBULE_SERVER__SOCKET"
        )
