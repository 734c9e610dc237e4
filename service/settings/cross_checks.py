"""Cross checks: values that each setting takes alone, and that contradict one another."""

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
_BY_IDLE: Final = "an idle session would outlive its absolute limit"
_BY_REMEMBER: Final = "people who chose to stay signed in would be signed out before the others"


def contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Yield every contradiction."""
    for check in (_lifetimes, _cookie_domain, _hashing_cost, _free_threads, _outer_limits, _listeners):
        yield from check(settings)


def _lifetimes(settings: Settings) -> Iterator[Contradiction]:
    for shorter, longer, why in (
        ("idle", "absolute", _BY_IDLE),
        ("remember_idle", "remember_absolute", _BY_IDLE),
        ("idle", "remember_idle", _BY_REMEMBER),
        ("absolute", "remember_absolute", _BY_REMEMBER),
    ):
        low, high = getattr(settings.sessions, shorter), getattr(settings.sessions, longer)
        if low > high:
            sentence = f"{{0}} ({spelled_duration(low)}) is longer than {{1}} ({spelled_duration(high)}): {why}"
            yield (f"sessions.{shorter}", f"sessions.{longer}"), sentence


def _cookie_domain(settings: Settings) -> Iterator[Contradiction]:
    names, domain, public = ("sessions.cookie_domain", "public_url"), settings.sessions.cookie_domain, settings.public
    if domain is None:
        return
    if not public.is_https:
        yield names, "{0} needs https, because the cookie is sent over https only: {1} is plain http"
    elif public.host != domain and not public.host.endswith(f".{domain}"):
        why = f"is neither the host in {{1}} ({public.host}) nor a parent domain of it: browsers would drop the cookie"
        yield names, f"{{0}} ({domain}) {why}"


def _hashing_cost(settings: Settings) -> Iterator[Contradiction]:
    passes, memory = settings.passwords.iterations, settings.passwords.memory
    least = _LEAST_MEMORY[min(passes, max(_LEAST_MEMORY))]
    if memory < least:
        what = f"is too little with {passes} in {{1}}: at least {least}k, or more passes (ASVS 11.4.2)"
        yield ("passwords.memory", "passwords.iterations"), f"{{0}} ({memory}k) {what}"


def _free_threads(settings: Settings) -> Iterator[Contradiction]:
    threads, gate = settings.server.threads, settings.gate_size
    if gate.left < 1:
        hashing = f"{gate.threads} hash threads in each worker"
        why = f"is too little beside {hashing}: no thread would be left for other requests"
        names = ("server.threads", "hashing.threads", "server.workers")
        yield names, f"{{0}} ({threads}) {why}. Raise {{0}} or {{2}}, or lower {{1}}"


def _outer_limits(settings: Settings) -> Iterator[Contradiction]:
    edge, minute = settings.limits.edge_post_per_second, settings.limits.post_per_minute
    if edge * 60 < minute:
        why = f"is less than {{1}} ({minute}) allows: nginx would refuse before the service can explain"
        yield ("limits.edge_post_per_second", "limits.post_per_minute"), f"{{0}} ({edge}) {why}"


def _listeners(settings: Settings) -> Iterator[Contradiction]:
    if overlap(settings.ops_listen, settings.server.listen):
        ops, public = map(LISTENERS.write, (settings.ops_listen, settings.server.listen))
        yield ("ops_listen", "server.listen"), f"{{0}} ({ops}) and {{1}} ({public}) overlap: choose another port"
