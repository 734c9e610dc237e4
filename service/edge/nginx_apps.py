"""nginx's files for apps: what the servers of all apps share, the server of each one, and their error pages."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from service import listeners
from service.access.apps import App
from service.access.judged_set import JudgedSet
from service.access.session_cookie import OUR_NAMES, cookie_name
from service.edge import demo, error_pages, ram_disk
from service.edge.nginx_app import AppServer
from service.edge.template import filled
from service.settings import Settings

CACHE_DIR: Final = "door_cache"  # in nginx's own directory (-p)
_OURS: Final = rf"{OUR_NAMES}\s*=[^;]*"


def rendered(
    apps: JudgedSet, settings: Settings, *, directory: Path, resolvers: Sequence[str], has_certificate: bool
) -> dict[str, bytes]:
    """Return every file by its path below `directory`. Raises ValueError for an app that nginx cannot serve.

    `has_certificate`: the operator's files in `tls/` have nginx serve TLS.
    """
    _refuse_one_host_twice([app for app in apps.apps if app.address.host != settings.public.host])
    texts = {"door.conf": _door(apps, settings, resolvers, directory), "demo.conf": demo.conf(settings)}
    for app in apps.apps:
        server = AppServer(app, apps, settings, directory=directory, has_certificate=has_certificate)
        texts[f"apps/{app.name}.conf"] = server.text()
    return {name: text.encode() for name, text in texts.items()} | dict(error_pages.pages())


def resolvers_of(resolv_conf: str) -> list[str]:
    """Return the DNS servers of a resolv.conf as nginx writes them; it cannot ask one by way of an interface (%)."""
    found = re.findall(r"^nameserver\s+([^\s%]+)\s*$", resolv_conf, re.MULTILINE)
    return [f"[{each}]" if ":" in each else each for each in found]


def _refuse_one_host_twice(apps: Sequence[App]) -> None:
    owners: dict[str, App] = {}
    for app in apps:
        other = owners.setdefault(app.address.host, app)
        if other is not app:
            raise ValueError(
                f"apps {other.name} and {app.name} have the host {app.address.host}, by which alone nginx tells apps "
                "apart: give one of them another host"
            )


def _door(apps: JudgedSet, settings: Settings, resolvers: Sequence[str], directory: Path) -> str:
    parts = [_for_every_server(apps, settings)]
    if apps.apps or settings.demo:
        parts.append(_shared(settings, resolvers))
    if settings.door.listen:
        parts.append(_other_proxies(settings, directory))
    return "".join(parts)


def _for_every_server(apps: JudgedSet, settings: Settings) -> str:
    others = [app.address for app in apps.apps if app.address.is_https and app.address.host != settings.public.host]
    lines = [
        "# Made by `vestibule proxy render`. The rules that these files were made from:",
        f'map "" $door_rules {{ default {apps.hash}; }}',
        "# Where plain http leads to (deploy/tls/http-redirect.conf):",
        "map $host $secure_origin {",
        *(f"    {each.host} {each.origin};" for each in others),
        "    default $public_origin;",
        "}",
    ]
    return "".join(f"{line}\n" for line in lines)


def _shared(settings: Settings, resolvers: Sequence[str]) -> str:
    return filled(
        "door.conf",
        {
            "cache_path": [_cache_path(settings)] if settings.door.cache_seconds else [],
            "resolver": [f"resolver {' '.join(resolvers)} valid=10s;", "resolver_timeout 2s;"] if resolvers else [],
            "session_cookie": cookie_name(settings.public, settings.sessions.cookie_domain),
            "our_cookies": OUR_NAMES,
            **{f"cuts_{number}": _cuts(number) for number in (1, 2, 3)},
        },
    )


def _cache_path(settings: Settings) -> str:
    """Return where nginx remembers. A file takes a page of memory (4 kB): 16 MB are some 4,000 clients at a time."""
    where = settings.door.cache_dir
    if where and (fault := ram_disk.fault_of(where)):
        raise ValueError(f"door.cache_dir ({where}): {fault}")
    kept = max(10, 2 * settings.door.cache_seconds)
    return f'proxy_cache_path "{where or CACHE_DIR}" keys_zone=door:4m max_size=16m inactive={kept}s use_temp_path=off;'


def _cuts(number: int) -> list[str]:
    """Return the rules of a map that cuts a run of our cookies: one at the end of the header, or the first one.

    A run is of 20 at most. Hundreds would be too many for PCRE's stack, and nginx's log quotes what PCRE gives up.
    """
    kept, before, after = f"kept_{number}", f"before_{number}", f"after_{number}"
    return [
        rf'"~^(?<{kept}>.*?)(?:(?:^|; *){_OURS}){{1,20}};? *$" ${kept};',
        rf'"~^(?<{before}>(?:.*?;)?? *)(?:{_OURS}; *){{1,20}}(?<{after}>.*)$" "${before}${after}";',
    ]


def _other_proxies(settings: Settings, directory: Path) -> str:
    sockets = listeners.sockets(settings.door.listen)
    return filled(
        "other_proxies.conf",
        {
            "trusted": [f"{network} 1;" for network in settings.trusted_proxies],
            "listen": listeners.directives(sockets),
            "netloc": settings.public.netloc,
            "errors": f"{directory}/{error_pages.FOLDER}/",
            "style": error_pages.STYLE_SOURCE,
        },
    )
