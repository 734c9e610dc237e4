"""nginx's files, from the settings.

The top-level nginx.conf is copied as it is; what depends on the settings goes into small files beside it, which it
includes. Other files there (`tls/`, those of earlier releases) stay.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from service import listeners
from service.access.judged_set import EMPTY, JudgedSet
from service.edge import nginx_apps
from service.settings import Settings

NGINX_CONF: Final = Path(__file__).resolve().parents[2] / "nginx.conf"
_UNQUOTABLE: Final = frozenset('"\\$\n\r\0')  # what a quoted word of nginx's cannot hold


def rendered(
    settings: Settings, *, directory: Path, site: Mapping[str, bytes], apps: JudgedSet = EMPTY
) -> dict[str, bytes]:
    """Return every file by its path below `directory`. Raises ValueError for a path that nginx cannot read."""
    scheme = "https" if settings.public.is_https else "http"
    rate = settings.limits.edge_post_per_second
    trusted = [f"set_real_ip_from {network};" for network in settings.trusted_proxies]
    made = {
        "site.conf": [
            f"root {_quoted(directory)};",
            f'map "" $public_scheme {{ default {scheme}; }}',
            f'map "" $public_origin {{ default {settings.public_url}; }}',
        ],
        "listen.conf": listeners.directives(listeners.sockets(settings.server.listen)),
        "ops.conf": listeners.directives(listeners.sockets(settings.ops_listen)),
        "upstream.conf": _upstreams(settings.server.instances or (settings.socket_path,)),
        "trusted.conf": trusted or ["# No proxy's word on the client's address counts."],
        "limits.conf": [f"limit_req_zone $posting_client zone=posts:10m rate={rate}r/s;"],
    }
    texts = {name: "".join(f"{line}\n" for line in lines).encode() for name, lines in made.items()}
    of_apps = nginx_apps.rendered(
        apps,
        settings,
        directory=directory,
        resolvers=settings.door.resolver or _system_resolvers(),
        has_certificate=any((directory / "tls").glob("server-*.conf")),
    )
    return {"nginx.conf": NGINX_CONF.read_bytes(), **texts, **of_apps, **site}


def _system_resolvers() -> list[str]:
    try:
        return nginx_apps.resolvers_of(Path("/etc/resolv.conf").read_text(errors="replace"))
    except OSError:
        return []


def _upstreams(sockets: Sequence[Path]) -> list[str]:
    """Return the upstream of all instances, and one for each, by its number: for the metrics.

    Idle connections end here (1 s) before gunicorn ends them (a stopping worker: 2 s): no POST meets a closed one. An
    instance that is away refuses at once, and the next one is asked: counting its failures (max_fails) would save
    nothing, and could leave nginx with no instance to ask.
    """
    servers = [f"    server {_quoted(f'unix:{path}')} max_fails=0;" for path in sockets]
    alone = [f"upstream vestibule_{number} {{{server.strip()}}}" for number, server in enumerate(servers, start=1)]
    return ["upstream vestibule {", *servers, "    keepalive 32;", "    keepalive_timeout 1s;", "}", *alone]


def _quoted(word: object) -> str:
    text = str(word)
    if _UNQUOTABLE & set(text):
        raise ValueError(f"{text!r} holds a character that nginx cannot read in a path")
    return f'"{text}"'
