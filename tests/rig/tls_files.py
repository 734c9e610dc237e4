"""TLS at nginx as deploy/tls has it, on other ports and with another certificate."""

from pathlib import Path

from tests.rig.parts import ROOT


def install(nginx_dir: Path, certificate: Path, key: Path, *, port: int, plain: int | None = None) -> None:
    """Put the files beside nginx.conf; the redirect from plain http where it is given a port."""
    changed = {"8443": str(port), "8081": str(plain)} | {
        "/etc/vestibule/tls/fullchain.pem": str(certificate),
        "/etc/vestibule/tls/privkey.pem": str(key),
    }
    (nginx_dir / "tls").mkdir(parents=True, exist_ok=True)
    nginx_dir.chmod(0o777)
    for source in (ROOT / "deploy" / "tls").glob("*.conf"):
        if plain or source.name != "http-redirect.conf":
            text = source.read_text()
            for shipped, here in changed.items():
                text = text.replace(shipped, here)
            (nginx_dir / "tls" / source.name).write_text(text)
