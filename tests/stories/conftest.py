"""A browser and servers for all stories, and what no story may leave behind: troubles, processes."""

from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.rig.servers import Servers, running
from tests.stories import elsewhere as another_site
from tests.stories.elsewhere import Elsewhere
from tests.stories.people import move_in
from tests.stories.places import POSTS_PER_MINUTE
from tests.stories.visitor import Visitor, chromium


class Visit(Protocol):
    """How a story lets a person in: by the servers they go to, and what their browser is like."""

    def __call__(self, servers: Servers, **wishes: Any) -> Visitor:
        """Return a browser that has never been there."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium; each visitor gets a context of their own in it."""
    with sync_playwright() as playwright, chromium(playwright) as started:
        yield started


@pytest.fixture(scope="package")
def elsewhere() -> Iterator[Elsewhere]:
    """Another site."""
    with another_site.running() as site:
        yield site


@pytest.fixture(scope="package")
def house(elsewhere: Elsewhere) -> Iterator[Servers]:
    """Servers with two workers on SQLite, people in it, and another site to which they may return."""
    with running(
        LIMITS__POST_PER_MINUTE="600", THROTTLES__ACCOUNT_FROM_NETWORK="9/15m", ACCESS__RETURN_ORIGINS=elsewhere.origin
    ) as servers:
        move_in(servers)
        yield servers


@pytest.fixture(scope="package")
def empty() -> Iterator[Servers]:
    """Servers without an account, and where few forms a minute are too many."""
    with running(LIMITS__POST_PER_MINUTE=str(POSTS_PER_MINUTE)) as servers:
        yield servers


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Let people in; at the end no browser may have complained: no blocked style, no failed file, no error."""
    visitors: list[Visitor] = []

    def let_in(servers: Servers, **wishes: Any) -> Visitor:
        wanted: dict[str, Any] = {"base_url": servers.origin, "reduced_motion": "reduce"} | wishes
        visitors.append(Visitor(browser.new_context(**wanted)))
        return visitors[-1]

    yield let_in
    for visitor in visitors:
        visitor.context.close()
    assert [trouble for visitor in visitors for trouble in visitor.troubles] == []
