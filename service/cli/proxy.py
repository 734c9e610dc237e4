"""`vestibule proxy render`: nginx's files, from the settings.

The top-level nginx.conf is copied as it is; what depends on the settings goes into small files beside it, which
it includes. What others put there (`tls/`, files of earlier versions) stays.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from service import listeners
from service.cli import REFUSED, Operator, as_json
from service.listeners import Listener
from service.settings import Settings

NGINX_CONF = Path(__file__).resolve().parents[2] / "nginx.conf"
_UNSPEAKABLE = frozenset('"\\$\n\r\0')  # what a quoted word of nginx's cannot hold as it is


class Unspeakable(Exception):
    """A path cannot be written into nginx's configuration."""


@click.group()
def proxy() -> None:
    """Write nginx's files."""


@proxy.command()
@click.option("--output", type=click.Path(path_type=Path), help="Where to; default: nginx/ in the state directory.")
@as_json
@click.pass_obj
def render(op: Operator, *, output: Path | None, as_json: bool) -> None:
    """Write what nginx reads. Start it with: nginx -e stderr -p DIR/ -c nginx.conf."""
    settings = op.settings
    directory = (output or settings.state_dir / "nginx").absolute()
    try:
        files = rendered(settings, directory=directory, site=op.site(settings))
        write(directory, files)
    except (Unspeakable, OSError) as fault:
        click.echo(f"nginx's files were not written: {fault}", err=True)
        raise SystemExit(REFUSED) from fault
    click.echo(json.dumps({"directory": str(directory), "files": sorted(files)}) if as_json else str(directory))


def rendered(settings: Settings, *, directory: Path, site: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return every file by its path below `directory`. Raises Unspeakable."""
    scheme = "https" if settings.public.is_https else "http"
    trusted = [f"set_real_ip_from {network};" for network in settings.trusted_proxies]
    made = {
        "site.conf": [
            f"root {_quoted(directory)};",
            f'map "" $public_scheme {{ default {scheme}; }}',
            f'map "" $public_origin {{ default {settings.public_url}; }}',
        ],
        "listen.conf": _listen(settings.server.listen),
        "ops.conf": _listen(settings.ops_listen),
        "upstream.conf": _upstream(settings.socket_path),
        "trusted.conf": trusted or ["# No proxy's word on the client's address counts."],
        "limits.conf": [
            f"limit_req_zone $posting_client zone=posts:10m rate={settings.limits.edge_post_per_second}r/s;"
        ],
    }
    texts = {name: "".join(f"{line}\n" for line in lines).encode() for name, lines in made.items()}
    return {"nginx.conf": NGINX_CONF.read_bytes(), **texts, **site}


def _listen(wanted: Sequence[Listener]) -> list[str]:
    """Return a directive for each socket; the one on `::` says that it takes IPv4, too."""
    return [f"listen {each}{' ipv6only=off' if each.host == '::' else ''};" for each in listeners.sockets(wanted)]


def _upstream(path: Path) -> list[str]:
    """Return the upstream. Idle connections end here (10 s) before they end in gunicorn: no POST meets a closed one."""
    server = f"server {_quoted(f'unix:{path}')};"
    return ["upstream vestibule {", f"    {server}", "    keepalive 32;", "    keepalive_timeout 10s;", "}"]


def _quoted(word: object) -> str:
    text = str(word)
    if _UNSPEAKABLE & set(text):
        raise Unspeakable(f"{text!r} holds a character that nginx cannot read in a path")
    return f'"{text}"'


def write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the files below a directory. Raises OSError."""
    for name, content in _ordered(files):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _ordered(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield nginx.conf last: what it includes is there before it is."""
    yield from sorted(files.items(), key=lambda file: file[0] == "nginx.conf")
