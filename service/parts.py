"""Parts of the service as the settings choose them: what `app.py` puts together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from service.login.attempts import Throttles
    from service.login.hashing import HashingGate
    from service.login.passwords import Passwords
    from service.login.sessions import Lifetimes
    from service.services import Brand, OuterLimit
    from service.settings import Settings
    from service.storage.counting.sql_counters import Chosen

THREADS_KEPT_FREE: Final = 4


def passwords(settings: Settings) -> Passwords:
    """Return the hasher at its chosen cost."""
    from service.login.passwords import Parameters, Passwords

    cost = settings.passwords
    return Passwords(Parameters(cost.memory, cost.iterations, cost.parallelism))


def gate(settings: Settings) -> HashingGate:
    """Return the gate of one worker. Its lines leave some of the worker's threads to people who are in."""
    import time

    from service.login.hashing import HashingGate

    hashing = settings.hash_threads_per_worker
    waiting = max(1, settings.server.threads - hashing - 1 - THREADS_KEPT_FREE)  # 1: shares are rounded up
    return HashingGate(threads=hashing, waiting=waiting, timer=time.monotonic)


def throttles(settings: Settings) -> Throttles:
    """Return how many wrong passwords each scope allows."""
    from service.login.attempts import Scope, Window

    limits = {scope: getattr(settings.throttles, scope.value) for scope in Scope}
    return {scope: Window(limit.count, limit.seconds) for scope, limit in limits.items()}


def lifetimes(settings: Settings) -> Lifetimes:
    """Return how long sessions live."""
    from service.login.sessions import Lifetimes

    chosen = settings.sessions
    return Lifetimes(chosen.idle, chosen.absolute, chosen.remember_idle, chosen.remember_absolute)


def outer_limit(settings: Settings, counted: Chosen, key: bytes) -> OuterLimit:
    """Return the limit on POSTs; its buckets are named with the secret key, so that no address is kept."""
    from service.services import OuterLimit

    return OuterLimit(
        posts_per_minute=settings.limits.post_per_minute,
        storage_uri=counted.uri,
        storage_options=counted.options,
        key=key,
    )


def brand(settings: Settings) -> Brand:
    """Return how the pages present themselves."""
    from service.services import Brand

    logo = settings.brand.logo
    return Brand(settings.brand.name, settings.brand.accent, logo.read_bytes() if logo else None)
