"""`vestibule_counter_store_degraded`: true of any worker, said by all, gone with the one it was true of."""

import json
import os
import subprocess
import sys
from pathlib import Path

from flask import Flask

from tests.rig import scraped
from tests.rig.parts import ROOT
from tests.rig.world import World


def degraded(app: Flask) -> float:
    """Return what a scrape says."""
    return scraped.series(scraped.text(app))["vestibule_counter_store_degraded", frozenset()]


def test_it_changes_at_once(world: World) -> None:
    """Lost and back show in the next scrape, however short ago the last one was; before, it is 0."""
    app = world.app()
    said = [degraded(app)]
    (tell,) = world.when_degraded
    for is_lost in (True, False):
        tell(is_lost)
        said.append(degraded(app))

    assert said == [0, 1, 0]


def test_any_worker_says_it_of_every_other(tmp_path: Path) -> None:
    """Of two workers the one that has Redis says that the other lost it and got it back, and forgets the dead."""
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "tests.web.degraded_workers"]

    ran = subprocess.run(command, cwd=ROOT, env=environ, text=True, capture_output=True, check=False, timeout=60)

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [0, 1, 0, 1, 0]
