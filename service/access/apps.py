"""Apps: what stands behind the door, each at an origin of its own."""

from dataclasses import dataclass

from service.access.identity_headers import DEFAULT, IdentityHeaders
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule


@dataclass(frozen=True, slots=True)
class App:
    """An app: its address for browsers, the origin that nginx forwards to, and its rules in the order of its file.

    `app_passwords`: programs may sign in with one. `preflight`: CORS preflights pass, which never carry a cookie.
    `own_sessions`: the app keeps sessions that go on when ours has ended. The certificate's files are nginx's to read.
    """

    name: str
    address: PublicAddress
    upstream: str
    title: str
    rules: tuple[Rule, ...]
    headers: IdentityHeaders = DEFAULT
    app_passwords: bool = False
    preflight: bool = False
    own_sessions: bool = False
    certificate: str | None = None
    certificate_key: str | None = None


def demo(public: PublicAddress) -> App:
    """Return the page /demo/ on the login's own address, as an app that needs a session."""
    return App("demo", public, "", "Demo", (Rule(number=1, path="/demo", allow=Allow.SIGNED_IN),))


def receives_session_cookie(address: PublicAddress, public: PublicAddress, cookie_domain: str | None) -> bool:
    """Whether browsers send the session cookie to an address, so that the door can know who asks (RFC 6265bis, 5.8.3).

    Ports do not count: on http://localhost:8080 the cookie reaches http://localhost:3000, too.
    """
    is_inside = cookie_domain is not None and f".{address.host}".endswith(f".{cookie_domain}")
    return address.scheme == public.scheme and (is_inside or address.host == public.host)
