"""What Caddy is given: the part of a site that asks the door, and sends the app what it may see.

The template is caddy.conf beside this file. `forward_auth` is written out: it lets any 2xx pass, and its releases
differ in what they leave of a client's headers. Caddy removes what a client's Connection names before header_up, so
that no client removes what is set there.
"""

from collections.abc import Sequence
from dataclasses import astuple
from textwrap import indent
from typing import Final

from service.access import identity_headers
from service.access.apps import App
from service.edge.template import filled

# Caddy sets these itself, from the connection or from what its trusted_proxies say.
_OWN: Final = frozenset({"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"})
_TAB: Final = "\t"


def rendered(apps: Sequence[App], door: str, *, whole: bool) -> str:
    """Return what goes into the site of each app, or whole sites. `door` is that of a `door.listen`."""
    return "\n".join((_site if whole else _part)(app, door) for app in apps)


def _site(app: App, door: str) -> str:
    tls = f'\ttls "{app.certificate}" "{app.certificate_key}"\n' if app.certificate else ""
    return f"{app.address.origin} {{\n{tls}{indent(_route(app, door), _TAB)}}}\n"


def _part(app: App, door: str) -> str:
    where = f"inside the site {app.address.origin}, in place of its reverse_proxy"
    return f"# App {app.name}: {where}.\n{_route(app, door)}"


def _route(app: App, door: str) -> str:
    names, address = astuple(app.headers), app.address
    answered = {name: _variable(name) for name in (*names, *identity_headers.FROM_CLIENTS)}
    return filled(
        "caddy.conf",
        {
            "door": door,
            "scheme": address.scheme,
            "netloc": address.netloc,
            "port": str(address.port),
            "upstream": app.upstream,
            "variables": [f"{variable} {{rp.header.{_canonical(name)}}}" for name, variable in answered.items()],
            "removed": [
                f"request_header -{name}" for name in identity_headers.removed(app.headers) if name not in _OWN
            ],
            "sent": [line for name in identity_headers.FROM_CLIENTS for line in _sent(name, answered[name])],
            "identity": [f"header_up {name} {{vars.{answered[name]}}}" for name in names],
        },
    )


def _sent(name: str, variable: str) -> list[str]:
    without = f"@no_{variable}"
    return [
        f"request_header {name} {{vars.{variable}}}",
        f'{without} header {name} ""',
        f"request_header {without} -{name}",
    ]


def _canonical(header: str) -> str:
    """Return a header's name as Go spells it: Caddy has the headers of an answer under that name alone."""
    return "-".join(part.capitalize() for part in header.split("-"))


def _variable(header: str) -> str:
    return f"vestibule_{header.lower().replace('-', '_')}"
