"""Files of apps, as an operator writes them, and the faults of a directory with one more."""

from pathlib import Path
from typing import Final

from service.settings import load
from service.settings.app_files import faults_of_apps

HTTPS: Final = {"VESTIBULE_PUBLIC_URL": "https://login.example.org"}
SHARED: Final = HTTPS | {"VESTIBULE_SESSIONS__COOKIE_DOMAIN": "example.org"}
HEAD: Final = 'address = "https://wiki.example.org"\nupstream = "http://127.0.0.1:3000"\n'
WHOLE: Final = HEAD + '[[rules]]\nallow = "signed-in"\n'


def faults(directory: Path, content: str, *, name: str = "wiki.toml", environ: dict[str, str] = SHARED) -> list[str]:
    """Return the faults of one file, and of the others that are there."""
    (directory / name).write_text(content)
    return faults_of_apps(load(environ))
