"""Apps in the Compose files: what renders them, what reads them, and how nginx reaches them."""

import re
from pathlib import Path

from service.settings import load
from service.settings.fields import CONFIG_DIRECTORY
from tests.house_rules.composed import FILES, FOLDER, together
from tests.house_rules.dockerfile import said
from tests.house_rules.project import read


def test_workers_read_the_apps_that_were_rendered() -> None:
    """nginx's files lie where the image has workers look for the apps in force; nginx is started with those."""
    services = together(FILES[0])["services"]
    (rendered,) = re.findall(r"VESTIBULE_DOOR__NGINX_DIR=(\S+)", said("service", "ENV"))
    edge = services["edge"]["command"]

    assert services["render"]["command"] == ["proxy", "render"]
    assert edge[edge.index("-c") + 1] == f"{rendered}/nginx.conf"
    assert Path(rendered).parent == Path("/run/vestibule")
    assert {"socket:/run/vestibule"} == set(services["render"]["volumes"]) & set(services["service"]["volumes"])


def test_apps_are_files_of_the_operator() -> None:
    """What renders and what serves see one directory, which neither can change; nginx is on the network of the apps."""
    services = together(FILES[0], "apps.yaml")["services"]
    (mounted,) = [each for each in services["render"]["volumes"] if isinstance(each, dict)]
    given = services["render"]["environment"]

    assert services["service"]["environment"] == given
    assert mounted in services["service"]["volumes"]
    assert (Path(mounted["target"]), mounted["read_only"]) == (CONFIG_DIRECTORY / "apps.d", True)
    assert read(f"{FOLDER}/apps.d/.gitignore") == "*.toml\n"
    assert "vestibule-apps" in services["edge"]["networks"]
    assert load(given).door.resolver == ("127.0.0.11",)  # Docker's, of networks that containers are on


def test_nginx_remembers_in_memory() -> None:
    """Without a setting nginx's cache is in its own directory, which is a RAM disk for it and its counts alone."""
    composed = together(*FILES)
    edge = composed["services"]["edge"]
    with_it = [name for name, each in composed["services"].items() if "edge:/run/edge" in each.get("volumes", [])]

    assert edge["command"][edge["command"].index("-p") + 1] == "/run/edge/"
    assert with_it == ["edge", "edge-metrics"]
    assert composed["volumes"]["edge"]["driver_opts"]["type"] == "tmpfs"
    assert load({}).door.cache_dir is None
