"""Servers for all tests of the edge, in front of the service and of an echo; servers and a `make run` of one test."""

from collections.abc import Iterator

import pytest

from tests.rig.asking import free_port
from tests.rig.make_run import Run, run
from tests.rig.processes import children
from tests.rig.servers import Servers, running, state_directory

ECHO = "tests.edge.echo:application"


def calm(nginx_conf: str) -> str:
    """Return nginx.conf with nothing for one client to exhaust: many tests share these servers and one address."""
    return nginx_conf.replace("burst=40", "burst=10000")


@pytest.fixture(scope="session")
def echo() -> Iterator[Servers]:
    """Servers whose answers say what reached the service."""
    with running(application=ECHO, workers=1, edit_nginx=calm) as servers:
        yield servers


@pytest.fixture(scope="session")
def service() -> Iterator[Servers]:
    """Servers as in production, with two workers."""
    with running(edit_nginx=calm, LIMITS__POST_PER_MINUTE="600") as servers:
        yield servers


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Servers of a test's own, to be broken."""
    with running(application=ECHO, workers=2) as own:
        own.wait_until(lambda: len(children(own.processes["gunicorn"].pid)) == 2, "both workers are there")
        yield own


@pytest.fixture
def started() -> Iterator[Run]:
    """A run that is ready."""
    with state_directory() as state_dir, run(state_dir, free_port(), free_port()) as it:
        it.wait_until_ready()
        yield it


@pytest.fixture
def busy() -> Iterator[Servers]:
    """Servers that take forms from one client without a limit."""
    with running(application=ECHO, edit_nginx=calm, LIMITS__EDGE_POST_PER_SECOND="5000") as servers:
        yield servers
