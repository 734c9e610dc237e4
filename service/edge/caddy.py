"""What Caddy is given: the part of a site that asks the door, and sends the app what it may see.

`forward_auth` is written out: it lets any 2xx pass, and its releases differ in what they leave of a client's headers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from textwrap import indent
from typing import Final

from service.access import identity_headers
from service.access.apps import App

# Caddy sets these itself, from the connection or from what its trusted_proxies say.
_OWN: Final = frozenset({"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"})
# Caddy removes what a client's Connection names before header_up, so that no client removes what is set there.
_ROUTE: Final = """\
route {
	# The answer 200 lets a request pass. Any other one goes to the client as it is.
	reverse_proxy %(door)s {
		method GET
		rewrite /auth/forward?
		header_up X-Forwarded-Method {method}
		header_up X-Forwarded-Uri {uri}
		header_up X-Forwarded-Proto %(scheme)s
		header_up X-Forwarded-Host %(netloc)s
		transport http {
			dial_timeout 2s
			response_header_timeout 5s
		}
		@passes {
			status 200
			header Vestibule-Credential *
		}
		handle_response @passes {
			vars {
%(variables)s
			}
		}
	}
	# These never come from a client. Apps take _ and . in a header's name for a hyphen.
	request_header -*_*
	request_header -*.*
%(removed)s
	# No protocol but web sockets: through h2c a client could send requests past the door.
	@no_web_socket not header_regexp Upgrade ^(?i:websocket)$
	request_header @no_web_socket -Upgrade
	# What the client sent, without the login's cookies and app passwords.
%(sent)s
	# A probe of `vestibule doctor` is answered by the service in place of the app.
	@probe path /.well-known/vestibule/probe
	reverse_proxy @probe %(door)s {
%(given)s
	}
	reverse_proxy %(upstream)s {
%(given)s
	}
}
"""
_GIVEN: Final = """\
header_up Host %(netloc)s
header_up X-Forwarded-Proto %(scheme)s
header_up X-Forwarded-Host %(netloc)s
header_up X-Forwarded-Port %(port)s
header_up X-Real-IP {remote_host}
"""
_TAB: Final = "\t"
_SENT: Final = """\
request_header {name} {{vars.{variable}}}
@no_{variable} header {name} ""
request_header @no_{variable} -{name}"""


def rendered(apps: Sequence[App], door: str, *, whole: bool) -> str:
    """Return what goes into the site of each app, or whole sites. `door` is that of a `door.listen`."""
    return "\n".join((_site if whole else _part)(app, door) for app in apps)


def _site(app: App, door: str) -> str:
    tls = f'\ttls "{app.certificate}" "{app.certificate_key}"\n' if app.certificate else ""
    return f"{app.address.origin} {{\n{tls}{indent(_route(app, door), _TAB)}}}\n"


def _part(app: App, door: str) -> str:
    return (
        f"# App {app.name}: inside the site {app.address.origin}, in place of its reverse_proxy.\n{_route(app, door)}"
    )


def _route(app: App, door: str) -> str:
    names = astuple(app.headers)
    answered = {name: _variable(name) for name in (*names, *identity_headers.FROM_CLIENTS)}
    removed = (name for name in identity_headers.removed(app.headers) if name not in _OWN)
    sent = (_SENT.format(name=name, variable=answered[name]) for name in identity_headers.FROM_CLIENTS)
    address = {"scheme": app.address.scheme, "netloc": app.address.netloc, "port": app.address.port}
    given = [*(_GIVEN % address).splitlines(), *(f"header_up {name} {{vars.{answered[name]}}}" for name in names)]
    return _ROUTE % {
        **address,
        "door": door,
        "upstream": app.upstream,
        "variables": _lines((f"{variable} {{rp.header.{_canonical(name)}}}" for name, variable in answered.items()), 4),
        "removed": _lines((f"request_header -{name}" for name in removed), 1),
        "sent": _lines(sent, 1),
        "given": _lines(given, 2),
    }


def _canonical(header: str) -> str:
    """Return a header's name as Go spells it: Caddy has the headers of an answer under that name alone."""
    return "-".join(part.capitalize() for part in header.split("-"))


def _variable(header: str) -> str:
    return f"vestibule_{header.lower().replace('-', '_')}"


def _lines(lines: Iterable[str], tabs: int) -> str:
    return indent("\n".join(lines), _TAB * tabs)
