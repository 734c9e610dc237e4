"""A certificate for one host, made by openssl and signed by itself."""

import subprocess
from pathlib import Path

from tests.rig.parts import need


def make(folder: Path, host: str, *, days: int = 2) -> tuple[Path, Path]:
    """Make `certificate.pem` and `key.pem` in the folder, readable for nginx, which runs as nobody; return both."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    asked = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days)]
    asked += ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    subprocess.run([need("openssl"), *asked, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o644)
    return certificate, key
