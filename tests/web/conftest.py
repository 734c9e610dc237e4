"""The web app over stores in memory, one world for each test."""

import pytest
from flask.testing import FlaskClient

from tests.rig.world import World, browser


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> FlaskClient:
    return browser(world.app())
