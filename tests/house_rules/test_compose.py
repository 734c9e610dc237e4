"""The Compose files: what each container may do, and how settings and secrets reach it."""

import re
import stat
import subprocess
from copy import deepcopy
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest

from service.settings import CATALOGUE, load
from tests.house_rules.composed import FILES, FOLDER, faults, together
from tests.house_rules.dockerfile import said
from tests.house_rules.project import lines, read
from tests.house_rules.project import load as load_yaml
from tests.rig.parts import ROOT

FILE: Final = f"{FOLDER}/compose.yaml"
EXAMPLE: Final = f"{FOLDER}/example.env"
TOGETHER: Final = [
    (FILES[0], *more) for number in range(len(FILES)) for more in combinations(FILES[1:], number)
]  # the first file with each choice of the others
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def _example() -> dict[str, str]:
    """Return what example.env gives, as a file whose values hold no quotes."""
    return dict(line.split("=", 1) for line in lines(EXAMPLE))


def _variables() -> set[tuple[str, ...]]:
    return {found for name in FILES for found in VARIABLE.findall("\n".join(lines(f"{FOLDER}/{name}")))}


@pytest.mark.parametrize("files", TOGETHER, ids="+".join)
def test_containers_get_little(files: tuple[str, ...]) -> None:
    """Pinned, read-only, without capabilities, limited, with bounded logs, health checks and no secret of its own."""
    assert faults(together(*files)) == []


PLANTED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "not pinned": ("prometheus", {"image": "docker.io/prom/prometheus:latest"}),
    "of no registry": ("valkey", {"image": "valkey:9.0"}),
    "writable": ("grafana", {"read_only": False}),
    "can gain privileges": ("service", {"security_opt": []}),
    "has capabilities": ("caddy", {"cap_add": ["NET_BIND_SERVICE", "NET_ADMIN"]}),
    "is root": ("postgres", {"user": "0:0"}),
    "without a limit": ("blackbox", {"mem_limit": None}),
    "with endless logs": ("alertmanager", {"logging": {"driver": "json-file"}}),
    "without a health check": ("edge", {"healthcheck": {}}),
    "with a public ops listener": ("edge", {"ports": ["9180:9180"]}),
    "with a secret in its environment": ("postgres", {"environment": {"POSTGRES_PASSWORD": "guess"}}),
}


@pytest.mark.parametrize(("name", "planted"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_is_found(name: str, planted: dict[str, Any]) -> None:
    """The check above names the service with the fault, and no other."""
    composed = deepcopy(together(*FILES))
    composed["services"][name] |= planted

    found = faults(composed)

    assert len(found) == 1
    assert found[0].startswith(f"{name}: ")


@pytest.mark.parametrize("files", TOGETHER, ids="+".join)
def test_everything_is_waited_for(files: tuple[str, ...]) -> None:
    """A container waits for another by its health check or its success, and what ends by itself is waited for.

    Only what is run by hand (a profile, of its own name) need not be.
    """
    services = together(*files)["services"]
    waits = [wait for service in services.values() for wait in service.get("depends_on", {}).items()]

    by_hand = {profile for service in services.values() for profile in service.get("profiles", [])}
    ends = {name for name, service in services.items() if service.get("restart") == "no"} - by_hand
    assert {name for name, how in waits if how["condition"] == "service_completed_successfully"} == ends
    assert {how["condition"] for _, how in waits} <= {"service_completed_successfully", "service_healthy"}


@pytest.mark.parametrize("files", TOGETHER, ids="+".join)
def test_the_stores_are_reached_by_sockets_alone(files: tuple[str, ...]) -> None:
    """The service and its stores have no network, whatever stands beside them."""
    services = together(*files)["services"]
    names = {"service", "render", "upgrade", "postgres", "valkey", "dump", "backup"} & services.keys()

    assert {services[name]["network_mode"] for name in names} <= {"none", "${SERVICE_NETWORK:-none}"}
    assert [name for name in names if "networks" in services[name]] == []


@pytest.mark.parametrize("files", TOGETHER, ids="+".join)
def test_what_is_named_is_defined(files: tuple[str, ...]) -> None:
    """Volumes, secrets and configurations of the containers are defined; files beside Compose's exist."""
    composed = together(*files)
    for kind in ("secrets", "configs", "volumes"):
        used = [each for service in composed["services"].values() for each in service.get(kind, [])]
        names = {each.split(":")[0] if isinstance(each, str) else each["source"] for each in used}
        assert {name for name in names if not name.startswith(".")} <= composed.get(kind, {}).keys()
    volumes = [each for service in composed["services"].values() for each in service.get("volumes", [])]
    places = [each["source"] for each in volumes if isinstance(each, dict)]
    places += [config["file"] for config in composed.get("configs", {}).values()]
    assert [place for place in places if not (ROOT / FOLDER / place).exists()] == []


def test_requests_are_counted_in_the_directory_of_nginx() -> None:
    """What counts them is nginx's user, and both have nginx's directory, which is of a fixed size."""
    composed = together(FILES[0])
    edge, counts = composed["services"]["edge"], composed["services"]["edge-metrics"]

    assert edge["command"][edge["command"].index("-p") + 1] == "/run/edge/"
    assert counts["command"] == ["proxy", "metrics", "/run/edge"]
    assert counts["user"] == said("edge", "USER")
    assert counts.keys().isdisjoint({"env_file", "environment", "secrets"})  # what it does not know, it cannot lose
    assert {"edge:/run/edge"} == set(edge["volumes"]) & set(counts["volumes"])
    assert "size=64m" in composed["volumes"]["edge"]["driver_opts"]["o"]


def test_the_first_file_stands_alone() -> None:
    """Only named volumes are mounted, nothing of the checkout or the machine."""
    alone = together(FILES[0])

    mounted = {volume.split(":")[0] for each in alone["services"].values() for volume in each.get("volumes", [])}
    assert mounted == alone["volumes"].keys()


@pytest.mark.parametrize("name", ["render", "service", "upgrade", "backup"])
def test_every_setting_works_from_the_file(name: str) -> None:
    """All containers of the service read the whole `.env`, if any; the first file puts nothing before it."""
    assert together(*FILES)["services"][name]["env_file"] == [{"path": ".env", "required": False}]
    assert "environment" not in together(FILES[0])["services"].get(name, {})


def test_variables_of_compose_are_no_settings() -> None:
    """What Compose reads itself is no setting, but for Caddy's public address, and stands in the example."""
    variables = {name for name, *_ in _variables()}

    assert {name for name in variables if name.startswith("VESTIBULE")} == {"VESTIBULE_PUBLIC_URL"}
    assert [name for name in variables if not re.search(rf"^#? ?{name}=", read(EXAMPLE), re.MULTILINE)] == []


def test_the_example_is_the_default() -> None:
    """Copied as it is, it changes nothing: the same settings, and the same values that the files fall back to."""
    example = _example()
    fall_backs = {name: value for name, sign, value in _variables() if sign == "-"}

    assert load(example) == load({})
    assert {name: example[name] for name in fall_backs} == fall_backs
    assert {name for name in example if name.startswith("VESTIBULE_")} <= {s.environment for s in CATALOGUE.values()}


def test_a_missing_secret_says_how_it_is_made() -> None:
    """Each secret is a file that a variable names; where the variable is missing, Compose says what to run."""
    for name, secret in together(*FILES)["secrets"].items():
        ((variable, sign, message),) = VARIABLE.findall(secret["file"])
        assert (sign, variable) == ("?", name.upper().replace("-", "_") + "_FILE")
        assert "make-secrets" in message


def test_prometheus_finds_what_it_asks() -> None:
    """Each address in Prometheus' configuration is a service of these files and, but for nginx's, its usual port."""
    configuration = load_yaml("deploy/prometheus/prometheus.yml")
    jobs = [*configuration["scrape_configs"], *configuration["alerting"]["alertmanagers"]]
    named = {
        target.removeprefix("http://").strip("/")
        for job in jobs
        for each in job["static_configs"]
        for target in each["targets"]
    }
    named |= {rule["replacement"] for job in jobs for rule in job.get("relabel_configs", []) if "replacement" in rule}

    assert {each.split(":")[0] for each in named} <= together(*FILES)["services"].keys()
    assert named == {"edge:9180", "edge:8080", "alertmanager:9093", "blackbox:9115"}


def test_caddy_comes_from_the_address_that_is_trusted() -> None:
    """It names nginx by a name that only the network with its fixed address knows: from another, clients are one."""
    services = together(FILES[0], "caddy.yaml")["services"]
    caddy, edge = services["caddy"]["networks"], services["edge"]["networks"]
    (name,) = re.findall(r"reverse_proxy (\S+):8080", read(f"{FOLDER}/Caddyfile"))

    assert name not in services
    assert [network for network in edge if name in edge[network].get("aliases", [])] == ["front"]
    assert services["service"]["environment"] == services["render"]["environment"]
    assert services["render"]["environment"]["VESTIBULE_TRUSTED_PROXIES"] == caddy["front"]["ipv4_address"]


def _make_secrets(place: Path) -> str:
    made = subprocess.run([ROOT / FOLDER / "make-secrets", place], capture_output=True, text=True, check=True)
    return made.stdout


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """The script makes every secret that a file wants and names it in .env; a second run changes nothing."""
    (tmp_path / ".env").write_text("EDGE_PORT=8081")  # no line end
    first = _make_secrets(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    second = _make_secrets(tmp_path)

    wanted = together(*FILES)["secrets"].keys()
    assert first.split() == [word for name in sorted(wanted) for word in ("Made", f"secrets/{name}")]
    assert second == ""
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    named = (tmp_path / ".env").read_text().splitlines()
    assert named == ["EDGE_PORT=8081", *(f"{n.upper().replace('-', '_')}_FILE=./secrets/{n}" for n in sorted(wanted))]


@pytest.mark.parametrize("is_there", [False, True])
def test_secrets_are_closed_to_others(tmp_path: Path, *, is_there: bool) -> None:
    """Containers may read the files under users of their own; on the machine, only the owner enters their directory."""
    if is_there:
        (tmp_path / "secrets").mkdir(mode=0o755)
    _make_secrets(tmp_path)

    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "secrets").iterdir()} == {0o444}
    contents = [each.read_text() for each in (tmp_path / "secrets").iterdir()]
    assert len(set(contents)) == len(contents)
    assert all(re.search("[0-9a-f]{48}", each) for each in contents)
