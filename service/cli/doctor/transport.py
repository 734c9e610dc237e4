"""What needs no probe: certificates and TLS, the redirect from plain http, other hosts, paths that are not public."""

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from service.access.apps import App
from service.access.decision import Outcome, Request, decide
from service.access.public_address import DEFAULT_PORTS, LOCAL_HOSTS, PublicAddress
from service.cli.doctor.client import Answer, Client, NoAnswer
from service.cli.doctor.echoes import FORGED_HOST
from service.cli.doctor.findings import Finding, fault, ok, warning
from service.cli.doctor.lines import Lines

NOT_PUBLIC: Final = ("/metrics", "/healthz", "/readyz", "/edge/metrics", "/auth/verify", "/auth/forward")
VERIFY: Final = "/.well-known/vestibule/verify"
_OPS: Final = "location ~ ^/(?:metrics|healthz|readyz)(?:/|$)"
_LOCATIONS: Final = dict.fromkeys(("metrics", "healthz", "readyz"), _OPS) | {
    "edge": "location ^~ /edge/",
    "auth": "location ^~ /auth/",
}
_DAY: Final = 86400
_SOON_DAYS: Final = 14
_REASONS: Final = {
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by itself",
    19: "is signed by an authority that this machine does not know",
    20: "is signed by an authority that this machine does not know, or without the certificates in between",
    21: "was sent without the certificates in between",
    62: "is for other names",
    64: "is for other addresses",
}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


def tls(client: Client, address: PublicAddress, lines: Lines, *, now: float) -> Iterator[Finding]:
    """Check the certificate and the oldest protocol. Raises NoAnswer."""
    if not address.is_https:
        return
    line = lines.of_tls("tls/certificate-tls.conf", "ssl_certificate, ssl_certificate_key")
    try:
        found = client.certificate(address)
    except ssl.SSLCertVerificationError as failed:
        reason = _REASONS.get(failed.verify_code, f"is refused: {failed.verify_message}")
        why = "browsers show a warning in place of the page; for an authority of your own give doctor --ca-file"
        yield fault("certificate", f"of {address.host} {reason}", why, line)
    else:
        yield _expiry(found["notBefore"], found["notAfter"], now, line)
    if client.takes_old_tls(address):
        why, line = (
            "TLS 1.0 and 1.1 are broken (RFC 8996)",
            lines.of_tls("nginx.conf", "ssl_protocols TLSv1.2 TLSv1.3;"),
        )
        yield fault("TLS", "older than 1.2 is accepted", why, line)
    else:
        yield ok("TLS", "older than 1.2 is refused")


def _expiry(not_before: str, not_after: str, now: float, line: str) -> Finding:
    begin, end = ssl.cert_time_to_seconds(not_before), ssl.cert_time_to_seconds(not_after)
    if end - now < min(_SOON_DAYS * _DAY, (end - begin) / 3):
        why = "browsers will show a warning in place of the page"
        return warning("certificate", f"ends on {not_after}", why, f"renew it, and reload nginx; {line}")
    return ok("certificate", f"for this name, until {not_after}")


def redirect(client: Client, address: PublicAddress, lines: Lines) -> Iterator[Finding]:
    """Check what plain http leads to, where both ports are the usual ones."""
    if not (address.is_https and address.port == DEFAULT_PORTS["https"]):
        return
    try:
        answer = client.ask(PublicAddress("http", address.host, DEFAULT_PORTS["http"]), "/doctor?x=1")
    except NoAnswer:
        yield ok("plain http", "has no server")
        return
    if answer.status in _REDIRECTS and answer.get("Location") == f"{address.origin}/doctor?x=1":
        yield ok("plain http", "leads to https")
    elif answer.status in _REDIRECTS and answer.get("Location").startswith(f"{address.origin}/"):
        yield ok("plain http", "leads to https, without the path")
    else:
        what = f"is answered with {answer.status} {answer.get('Location')}".rstrip()
        why = "people who type the name without https send their passwords and cookies readable"
        line = lines.of_tls("tls/http-redirect.conf", "location /: return 303 $secure_origin$request_uri;")
        yield fault("plain http", what, why, line)


def foreign_host(client: Client, address: PublicAddress, lines: Lines) -> Finding:
    """Check that the login answers for its own name alone. Raises NoAnswer."""
    answer = client.ask(address, "/", host=FORGED_HOST)
    if answer.status < 400 or FORGED_HOST in answer.get("Location"):  # noqa: PLR2004 - the first of the refusals
        why = "a site of another name shows your sign-in page (DNS rebinding), or chooses where redirects lead"
        line = lines.of_login("location /: proxy_set_header Host $valid_host;")
        return fault("foreign Host", f"is answered with {answer.status}", why, line)
    return ok("foreign Host", f"is refused with {answer.status}")


def not_public(client: Client, address: PublicAddress, lines: Lines) -> Iterator[Finding]:
    """Check the paths that belong to operators and proxies. Raises NoAnswer."""
    answers = {path: client.ask(address, path).status for path in NOT_PUBLIC}
    for path, status in answers.items():
        if status != 404:  # noqa: PLR2004 - a status
            why = "clients read what is for operators, or ask the door's questions in place of a proxy"
            line = lines.of_login(f"{_LOCATIONS[path.split('/')[1]]} {{ return 404; }}")
            yield fault("not public", f"{path} is answered with {status}", why, line)
    if set(answers.values()) == {404}:
        yield ok("not public", f"{', '.join(NOT_PUBLIC)} are 404")


def verify_is_internal(client: Client, app: App, header: tuple[str, str], lines: Lines) -> Finding:
    """Check that clients cannot ask the door's question on an app's address. Raises NoAnswer."""
    answer = client.ask(app.address, VERIFY, headers=[header])
    if answer.status == 404 or is_refusal(answer):  # noqa: PLR2004 - a status
        return ok("not public", f"{VERIFY} is {answer.status}")
    why, line = "clients ask the door's question themselves, and fill nginx's cache", f"location = {VERIFY}: internal;"
    return fault("not public", f"{VERIFY} is answered with {answer.status}", why, lines.of_app(line))


def refusing(client: Client, app: App, lines: Lines, *, own: str) -> Finding:
    """Check that a client who is not signed in is refused where the rules say so. Raises NoAnswer."""
    paths = dict.fromkeys(["/", *(rule.path for rule in app.rules)])
    refused = (path for path in paths if _outcome(app, path, own) is not Outcome.ALLOWED)
    path = next(refused, None)
    if path is None:
        return ok("door", "admits all clients, as the rules say")
    answer = client.ask(app.address, path)
    if is_refusal(answer):
        return ok("door", f"refuses a client that is not signed in ({path}: {answer.status})")
    why = "all who know the address use the app without signing in"
    line = lines.of_app("location /: auth_request /.well-known/vestibule/verify;")
    return fault("door", f"a client that is not signed in gets {answer.status} from {path}", why, line)


def _outcome(app: App, path: str, own: str) -> Outcome:
    return decide(app, Request("GET", path, own), None, signed_in_at=0, now=0).enforced.outcome


def is_refusal(answer: Answer) -> bool:
    """Whether an answer is a refusal of the service: JSON with a reason, as doctor accepts nothing else."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return False
    return answer.status in {401, 403} and isinstance(said, dict) and {"reason", "request_id"} <= said.keys()


def past_the_door(client: Client, app: App, upstream: PublicAddress, *, own: str) -> Finding:
    """Check whether the app answers without the door: at its upstream, or at that port of the public address."""
    hosts = _hosts_beside(client.place(app.address)[0], upstream, own)
    for host in hosts:
        if client.answers_directly(upstream.scheme, (host, upstream.port)):
            what = f"the app answers at {host}:{upstream.port} from here, without the door"
            why = "a client that reaches that port uses the app without signing in, under every name (Remote-User)"
            line = f"have the app listen where nginx alone reaches it: {_bind(upstream)}"
            return warning("past the door", what, why, line)
    tried = " and ".join(f"{host}:{upstream.port}" for host in hosts)
    what = f"the app does not answer at {tried}" if tried else "no other address of the app's machine is known here"
    return ok("past the door", what)


def _hosts_beside(proxy: str, upstream: PublicAddress, own: str) -> list[str]:
    """Return where the app should not answer. It may do so on the proxy's loopback, at its one address there."""
    if upstream.host not in LOCAL_HOSTS:
        return [upstream.host.strip("[]")]
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(proxy, upstream.port, type=socket.SOCK_STREAM)}
    except OSError:
        return []
    beside = {"127.0.0.2"} if own in found else set()  # doctor runs where the proxy runs
    return sorted((found | beside) - {"127.0.0.1", "::1"})


def _bind(upstream: PublicAddress) -> str:
    closed = f"port {upstream.port} closed to all but nginx (firewall, network)"
    return f"127.0.0.1:{upstream.port}" if upstream.host in LOCAL_HOSTS else closed
