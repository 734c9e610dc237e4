"""The systemd units: valid, with few rights, and in agreement with nginx, gunicorn and the settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from service.settings import load
from tests.house_rules.command_line import refusal
from tests.house_rules.project import lines, read
from tests.rig.parts import ROOT, need

FOLDER: Final = ROOT / "deploy/systemd"
UNITS: Final = sorted(path.name for path in FOLDER.glob("*.service"))
TIMERS: Final = sorted(path.name for path in FOLDER.glob("*.timer"))
MOST_EXPOSURE: Final = 20  # tenths


def _exposure_is_low(unit: Path) -> bool:
    program = str(need("systemd-analyze"))
    asked = [program, "security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(unit)]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", UNITS)
def test_units_have_few_rights(name: str, tmp_path: Path) -> None:
    """systemd rates the exposure of a unit at 2.0 of 10 at most; without a part of its hardening it is above."""
    less = tmp_path / name
    less.write_text(
        "".join(
            line
            for line in (FOLDER / name).read_text().splitlines(keepends=True)
            if not line.startswith(("System", "Private"))
        )
    )

    assert _exposure_is_low(FOLDER / name)
    assert not _exposure_is_low(less)


def test_units_are_valid(tmp_path: Path) -> None:
    """systemd reads the units without a complaint, and their programs exist where install.md puts them."""
    places = {"/opt/vestibule/.venv/bin": str(Path(sys.executable).parent), "/usr/sbin/nginx": str(need("nginx"))}
    for name in (*UNITS, *TIMERS):
        text = read(f"deploy/systemd/{name}")
        for installed, here in places.items():
            text = text.replace(installed, here)
        (tmp_path / name).write_text(text)

    asked = [str(need("systemd-analyze")), "verify", "--man=no", *(str(tmp_path / name) for name in (*UNITS, *TIMERS))]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_backups_of_postgresql_take_the_place_of_those_of_sqlite(tmp_path: Path) -> None:
    """The drop-in is valid, its script exists in the checkout, and the service's commands in both units exist."""
    (tmp_path / "vestibule-backup.service.d").mkdir()
    backup, drop_in = (
        read(f"deploy/systemd/{name}") for name in ("vestibule-backup.service", "backup-postgresql.conf")
    )
    here = {"/opt/vestibule/.venv/bin": str(Path(sys.executable).parent), "/opt/vestibule": str(ROOT)}
    for name, text in (("vestibule-backup.service", backup), ("vestibule-backup.service.d/postgresql.conf", drop_in)):
        for installed, place in here.items():
            text = text.replace(installed, place)  # noqa: PLW2901 - the same text, as it is here
        (tmp_path / name).write_text(text)

    asked = [str(need("systemd-analyze")), "verify", "--man=no", str(tmp_path / "vestibule-backup.service")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    commands = re.findall(r"^ExecStart=\S+/bin/vestibule (.+)$", backup + drop_in, re.MULTILINE)

    assert (done.returncode, done.stderr) == (0, "")
    assert [refusal(command.split()) for command in commands] == [None, None]


def test_the_settings_belong_to_the_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the settings names the directories that systemd makes, and keeps for commands after a stop."""
    monkeypatch.setenv("VESTIBULE_CONFIG", str(FOLDER / "vestibule.toml"))
    settings = load()
    unit = lines("deploy/systemd/vestibule.service")

    assert {"StateDirectory=vestibule", "RuntimeDirectory=vestibule", "RuntimeDirectoryPreserve=yes"} <= set(unit)
    assert settings.state_dir == Path("/var/lib/vestibule")
    assert settings.socket_path.parent == Path("/run/vestibule")
    edge, counts = (read(f"deploy/systemd/vestibule-edge{name}.service") for name in ("", "-metrics"))
    assert f"-p /run/vestibule-edge/ -c {settings.state_dir}/nginx/nginx.conf" in edge
    assert "\nRuntimeDirectory=vestibule-edge\n" in edge
    assert "vestibule proxy metrics /run/vestibule-edge\n" in counts
    assert settings.nginx_dir == settings.state_dir / "nginx"
    assert settings.apps_dir == FOLDER / "apps.d"  # beside the settings
    assert settings.door.cache_dir is None  # in nginx's own directory, which is on the RAM disk /run


def test_changed_apps_need_no_restart() -> None:
    """A reload of the service puts them in force, for the nginx whose directory is that of the edge's unit."""
    (reload,) = [line for line in lines("deploy/systemd/vestibule.service") if line.startswith("ExecReload=")]
    program, *words = reload.removeprefix("ExecReload=+").split()

    assert program == "/opt/vestibule/.venv/bin/vestibule"
    assert words == ["proxy", "render", "--reload", "--prefix", "/run/vestibule-edge"]
    assert "RuntimeDirectory=vestibule-edge" in lines("deploy/systemd/vestibule-edge.service")


def test_nginx_is_in_the_group_of_the_service() -> None:
    """Both users are made, and nginx may open the socket; no other user is in the group."""
    assert [line.split()[:3] for line in lines("deploy/systemd/sysusers.conf")] == [
        ["u", "vestibule", "-"],
        ["u", "vestibule-edge", "-"],
        ["m", "vestibule-edge", "vestibule"],
    ]


def test_the_edge_may_open_as_many_files_as_nginx_wants() -> None:
    """The unit's limit of open files is that of nginx.conf."""
    (wanted,) = re.findall(r"^worker_rlimit_nofile (\d+);", read("nginx.conf"), re.MULTILINE)

    assert f"LimitNOFILE={wanted}" in lines("deploy/systemd/vestibule-edge.service")
