"""The server of one app, for nginx: app.conf beside this file, with what follows from the app and the settings."""

import ipaddress
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Final

from service import listeners
from service.access.apps import App
from service.access.identity_headers import SET_BY_NGINX, removed
from service.access.judged_set import JudgedSet
from service.access.public_address import Flaw, PublicAddress, parse_origin
from service.edge import error_pages, path_groups
from service.edge.template import filled
from service.listeners import Listener
from service.settings import Settings

_FROM_THE_DOOR: Final = ("$door_user", "$door_name", "$door_email", "$door_groups")  # as astuple(IdentityHeaders)


class AppServer:
    """One app's file, `apps/NAME.conf`."""

    def __init__(
        self, app: App, apps: JudgedSet, settings: Settings, *, directory: Path, has_certificate: bool
    ) -> None:
        self._app, self._apps, self._settings = app, apps, settings
        self._directory, self._has_certificate = directory, has_certificate
        self._upstream = _origin(app)
        self._known_addresses = _addresses(self._upstream.host)
        self._variable = app.name.replace("-", "_")

    def text(self) -> str:
        """Return the file. Raises ValueError for an app that nginx cannot serve."""
        address, seconds = self._app.address, self._settings.door.cache_seconds
        values: dict[str, str | list[str]] = {
            "name": self._app.name,
            "variable": self._variable,
            "origin": address.origin,
            "host": address.host,
            "netloc": address.netloc,
            "scheme": address.scheme,
            "port": str(address.port),
            "login": self._settings.public.netloc,
            "hash": self._apps.hash,
            "path_groups": self._path_groups(),
            "listen": self._listen(),
            "wrong_host": [f'if ($host != "{address.host}") {{ return 421; }}'] if self._has_own_port else [],
            "identity": [f"proxy_set_header {name} {value};" for name, value in self._identity().items()],
            "stripped": [f'proxy_set_header {name} "";' for name in self._stripped()],
            "cache": self._cache() if seconds else [],
            "errors": f"{self._directory}/{error_pages.FOLDER}/",
            "style": error_pages.STYLE_SOURCE,
        }
        values |= self._upstream_parts() | self._authorization()
        return filled("app.conf", values | {"questions": filled("questions.conf", values).splitlines()})

    def _path_groups(self) -> list[str]:
        return [f"{key} {value};" for key, value in path_groups.of_plain_paths(rule.path for rule in self._app.rules)]

    @property
    def _has_own_port(self) -> bool:
        """Whether the app is on the login's own host, so that nothing but the port tells the two apart."""
        return self._app.address.host == self._settings.public.host

    def _listen(self) -> list[str]:
        app, settings = self._app, self._settings
        shown = ["include tls/certificate-*.conf;"]
        if app.certificate:
            shown = [f'ssl_certificate "{app.certificate}";', f'ssl_certificate_key "{app.certificate_key}";']
        if not self._has_own_port:
            shared = [f"listen {each};" for each in listeners.sockets(settings.server.listen)]
            return [*shared, "include tls/server-*.conf;", *shown]
        port = app.address.port
        if app.address.is_https and (app.certificate or self._has_certificate):
            return [f"listen {port} ssl http2;", f"listen [::]:{port} ssl http2;", *shown]
        wanted = [Listener(each.host, port) for each in settings.server.listen]
        if listeners.overlap(wanted, (*settings.server.listen, *settings.ops_listen, *settings.door.listen)):
            raise ValueError(f"app {app.name} has the port {port}, where nginx listens already: choose another address")
        return listeners.directives(listeners.sockets(wanted))

    def _upstream_parts(self) -> dict[str, str | list[str]]:
        """Return the upstream: addresses that are known are kept connected, a name is resolved while nginx runs."""
        name, origin, own = f"app_{self._app.name}", self._upstream, self._known_addresses
        if own:
            servers = [f"server {address}:{origin.port};" for address in own]
            block = [f"upstream {name} {{", *(f"    {line}" for line in servers), *_KEPT, "}"]
            return {"upstream": block, "proxied_to": f"{origin.scheme}://{name}", "proxy_ssl": []}
        sni = ["proxy_ssl_server_name on;", f"proxy_ssl_name {origin.host};"] if origin.is_https else []
        named = f"{origin.scheme}://{origin.host}:{origin.port}"
        return {"upstream": [], "proxied_to": named, "proxy_ssl": sni}

    def _authorization(self) -> dict[str, str | list[str]]:
        """Return what the app, the question and the refusal are told of `Authorization`: ours is never the app's."""
        sent, own = "$http_authorization", f"$own_authorization_{self._variable}"
        if self._app.app_passwords:
            kept = [f"map $door_credential {own} {{", '    app-password "";', f"    default {sent};", "}"]
            return {
                "own_authorization": kept,
                "authorization": own,
                "asked_authorization": sent,
                "told_authorization": sent,
            }
        return {
            "own_authorization": [],
            "authorization": "$foreign_authorization",
            "asked_authorization": '""',
            "told_authorization": "$authorization_scheme",
        }

    def _cache(self) -> list[str]:
        unremembered = "$door_unremembered" + " $door_authorized" * self._app.app_passwords
        key = f"$door_token $remote_addr {self._app.name} $door_method {self._apps.hash} $door_group_{self._variable}"
        return [
            "proxy_cache door;",
            "open_file_cache max=2000 inactive=10s;",  # opening a file took a quarter of nginx's time
            f'proxy_cache_key "{key}";',
            f"proxy_cache_bypass {unremembered};",
            f"proxy_no_cache {unremembered} $door_not_yes;",
        ]

    def _identity(self) -> dict[str, str]:
        return dict(zip(astuple(self._app.headers), _FROM_THE_DOOR, strict=True))

    def _stripped(self) -> list[str]:
        """Return the headers that no client may send here: those of other apps, too, which may share an upstream."""
        kept = SET_BY_NGINX | {name.lower() for name in self._identity()}
        names = sorted(removed(*(app.headers for app in self._apps.apps)), key=str.lower)
        return [name for name in names if name.lower() not in kept]


_KEPT: Final = ("    keepalive 32;", "    keepalive_timeout 4s;")  # less than app servers keep one (Node.js: 5 s)


def _origin(app: App) -> PublicAddress:
    found = parse_origin(app.upstream)
    if isinstance(found, Flaw):
        raise ValueError(f"app {app.name}: its upstream, {app.upstream}, is no origin")  # noqa: TRY004 - a text's flaw
    return found


def _addresses(host: str) -> list[str]:
    """Return the addresses that need no DNS; an app that listens on `localhost` may have taken either family."""
    if host == "localhost":
        return ["127.0.0.1", "[::1]"]
    with suppress(ValueError):
        ipaddress.ip_address(host.strip("[]"))
        return [host]
    return []
