"""What the metrics say about the door: how old an answer may be, and whether nginx and the service agree."""

import pytest

from tests.rig import scraped
from tests.rig.world import World
from tests.web.door.asking import Proxy


def shown(proxy: Proxy, name: str) -> float:
    """Return the value of a gauge."""
    return scraped.total(scraped.text(proxy.flask), name)


@pytest.mark.parametrize(("cache_seconds", "bound"), [(0, 1), (1, 2), (60, 61)])
def test_the_bound_is_shown(cache_seconds: int, bound: int) -> None:
    """nginx counts whole seconds: an answer lives for one more than its setting; blocks are a second old."""
    proxy = Proxy(cache_seconds=cache_seconds)

    assert shown(proxy, "vestibule_door_cache_seconds") == cache_seconds
    assert shown(proxy, "vestibule_revocation_bound_seconds") == bound


def test_files_of_nginx_that_are_older_show() -> None:
    """As long as nginx asks by them; another proxy has no such files."""
    proxy, name = Proxy(), "vestibule_door_edge_outdated"
    seen = [shown(proxy, name)]

    for rules in (proxy.apps.hash, "0" * 16, "0" * 16, proxy.apps.hash):
        proxy.verify(Vestibule_Rules=rules)
        seen.append(shown(proxy, name))
    forwarded = {"Method": "GET", "Proto": "https", "Host": "wiki.example.test", "Uri": "/"}
    proxy.ask("/auth/forward", {f"X-Forwarded-{header}": value for header, value in forwarded.items()})

    assert [*seen, shown(proxy, name)] == [0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("readable", [True, False])
def test_a_file_that_cannot_be_read_shows(*, readable: bool) -> None:
    """At once: what an operator changed is not in force."""
    world = World()
    world.apps_are_readable = readable

    assert scraped.total(scraped.text(world.app()), "vestibule_config_last_reload_successful") == readable
