"""F-16: a secret key that cannot be one, and a changed key with the old one beside it or without."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.faults.client import IN, cookie_of
from tests.faults.findings import Findings
from tests.faults.site import Site, site
from tests.faults.traffic import QUIET_SECONDS
from tests.rig.parts import ROOT
from tests.rig.passwords import PASSWORD
from tests.rig.servers import VESTIBULE

_OLD: Final = "an old key of the experiments, long enough for one"
_NEW: Final = "a new key of the experiments, which is long enough too"
_SHORT: Final = "short-and-secret"


def changed(findings: Findings) -> None:
    """A secret key that is empty, short, missing or a directory; a new key, with the old one beside it and without."""
    with site(SECRET_KEY=_OLD) as service:
        for what, setting, value in _unusable(service.servers.state_dir):
            _refused(findings, service, what, {setting: value})
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            device = _device(service, "")
            for keys in (f"{_NEW}\n{_OLD}", _NEW):
                service.servers.environ["VESTIBULE_SECRET_KEY"] = keys
                changed_at = traffic.now
                service.servers.end("gunicorn")
                service.servers.start_gunicorn()
                service.ready()
                findings.back(traffic.recovered(changed_at), 5)
                is_known, beside = _id_of(_device(service, device)) == _id_of(device), _OLD in keys
                what = f"a new key, {'the old one beside it' if beside else 'alone'}: a known device is"
                findings.check(what, "known" if is_known else "unknown", is_known is beside)
        service.compare(findings)


def _unusable(place: Path) -> Iterator[tuple[str, str, str]]:
    for name, text in {"empty": "", "short": _SHORT}.items():
        (file := place / f"key-{name}").write_text(text)
        yield f"{name} key", "VESTIBULE_SECRET_KEY", text
        yield f"file whose key is {name}", "VESTIBULE_SECRET_KEY_FILE", str(file)
    yield "missing file", "VESTIBULE_SECRET_KEY_FILE", str(place / "missing")
    yield "directory", "VESTIBULE_SECRET_KEY_FILE", str(place)


def _refused(findings: Findings, service: Site, what: str, settings: dict[str, str]) -> None:
    """Start with this key, beside the service: it must end by itself, with a sentence that does not hold the key."""
    environ = {name: value for name, value in service.servers.environ.items() if name != "VESTIBULE_SECRET_KEY"}
    try:
        done = subprocess.run(
            service.servers.become(*VESTIBULE, "serve"),
            env=environ | settings, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        findings.check("no start with an unusable key", what, holds=False)
        return
    said = done.stdout + done.stderr
    refused = done.returncode == 1 and "SECRET_KEY" in said and _SHORT not in said and "Traceback" not in said
    findings.check("no start with an unusable key", "all refused" if refused else f"{what}: {said[-200:]}", refused)


def _device(service: Site, cookie: str) -> str:
    """Sign in as a browser with this device cookie; the one that it has afterwards."""
    answer = service.client.sign_in("person2", PASSWORD, cookie)
    assert answer, "no answer"
    assert answer.status == IN, answer
    return cookie_of(answer, "vestibule_device")


def _id_of(device: str) -> str:
    """Return the device's id, which it keeps for as long as it is known."""
    return device.partition("=")[2].partition(".")[0]
