"""Bad input as it goes over the wire, each with the status that answers it (classes: docs/bad-input.md).

A case is a form for `POST /` from our own page unless it says otherwise.
"""

import gzip
import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from tests.rig.passwords import PASSWORD

CANARY: Final = "canary-that-nobody-may-repeat"
FORM: Final = b"application/x-www-form-urlencoded"
JSON: Final = b"application/json"
MULTIPART: Final = b"multipart/form-data; boundary=x"


PROBE: Final = b"Cookie: vestibule_session_probe=1"  # of a browser that was shown the form


@dataclass(frozen=True)
class Case:
    """One request."""

    status: int
    body: bytes = b""
    content_type: bytes = FORM
    method: bytes = b"POST"
    target: bytes = b"/"
    lines: tuple[bytes, ...] = ()

    def on_the_wire(self, host: str) -> bytes:
        """Return the request's bytes; a Host among `lines` takes the place of the right one."""
        own = () if any(line.lower().startswith(b"host:") for line in self.lines) else (b"Host: " + host.encode(),)
        form = (b"Content-Type: " + self.content_type, b"Content-Length: %d" % len(self.body), PROBE)
        head = (self.method + b" " + self.target + b" HTTP/1.1", *own, b"Connection: close", b"Sec-Fetch-Site: none")
        return b"\r\n".join((*head, *(form if self.method == b"POST" else ()), *self.lines, b"", self.body))


def form(username: str, password: str = CANARY) -> bytes:
    """Return a sign-in form."""
    return f"username={quote(username)}&password={quote(password)}".encode()


def part(name: str, value: str, more: str = "") -> bytes:
    """Return one part of a multipart form."""
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()


RIGHT: Final = form("alice", PASSWORD)
PARTS: Final = part("username", "alice") + part("password", PASSWORD)
SIZES: Final = {
    "SZ-01 1 MB password": Case(413, b"username=alice&password=" + b"a" * 1_000_000),
    "SZ-03 one character too many": Case(401, form("alice", "a" * 129)),
    "SZ-04 the right password and more": Case(401, form("alice", PASSWORD + "x")),
    "SZ-06 NUL behind the right password": Case(401, form("alice", PASSWORD + "\0")),
    "SZ-07 a blank before it": Case(401, form("alice", f" {PASSWORD}")),
    "SZ-08 in capitals": Case(401, form("alice", PASSWORD.upper())),
    "SZ-09 10 kB name": Case(401, form("a" * 10_000)),
    "SZ-11 invalid UTF-8": Case(400, b"username=%ff%fe&password=x"),
    "SZ-11 invalid UTF-8, raw": Case(400, b"username=\xff\xfe&password=x"),
    "SZ-11 its escapes as text": Case(401, form("%FF%FE")),
    "SZ-12 half a surrogate pair": Case(400, b"username=alice&password=%ed%a0%80"),
    "SZ-13 UTF-16 form": Case(415, RIGHT.decode().encode("utf-16"), FORM + b"; charset=utf-16"),
    "SZ-13 UTF-16 JSON": Case(415, '{"username": "alice"}'.encode("utf-16"), JSON),
    "SZ-13 byte order mark": Case(401, b"%ef%bb%bf" + RIGHT),
    "SZ-13 a charset as a field": Case(401, b"_charset_=utf-7&username=+AGE-lice&password=x"),
    "SZ-14 a hundred parts": Case(415, part("a", "") * 100 + b"--x--", MULTIPART),
    "SZ-15 deep JSON": Case(415, b"[" * 16_000, JSON),
    "SZ-16 a number without end": Case(415, b'{"username": 1' + b"0" * 15_000 + b"}", JSON),
    "SZ-18 a member twice": Case(415, b'{"username": "alice", "username": "bob"}', JSON),
    "SZ-19 parts": Case(415, PARTS + b"--x--", MULTIPART),
    "SZ-19 a password as a file": Case(415, part("password", PASSWORD, '; filename="p"') + b"--x--", MULTIPART),
    "SZ-19 a name in RFC 5987": Case(415, part("password", PASSWORD, "; filename*=utf-8''%ff") + b"--x--", MULTIPART),
    "SZ-19 no boundary": Case(415, PARTS, b"multipart/form-data"),
    "SZ-19 a long boundary": Case(415, PARTS, b"multipart/form-data; boundary=" + b"b" * 7000),
    "SZ-19 carriage returns": Case(415, b"--x\r\n" + b"\r" * 16_000, MULTIPART),
    "SZ-20 many fields": Case(400, b"&".join(b"f%d=x" % n for n in range(2000))),
    "SZ-22 a compressed form": Case(400, gzip.compress(RIGHT), lines=(b"Content-Encoding: gzip",)),
    "SZ-22 a bomb": Case(400, gzip.compress(b"a" * 10_000_000, 9)[:16_384], lines=(b"Content-Encoding: gzip",)),
    "SZ-23 digits of another script": Case(401, b"username=alice&password=x&remember=%d9%a1&csrf_token=%C3%A9"),
    "SZ-25 templates": Case(401, form("{{7*7}}", "${7*7}%s%n{0.__class__}")),
    "SZ-26 SQL": Case(401, form("alice'--", "' OR '1'='1")),
    "SZ-27 marks and joiners": Case(401, form("\u202e\U0001f469\u200d\U0001f680", "\u0301" * 100)),
    **{f"SZ-17 {it}": Case(415, f'{{"username": {it}}}'.encode(), JSON) for it in ("{}", "[]", "1", "true", "null")},
}  # fmt: skip
SAME: Final = ["Alice", "ALICE", "\uff41lice", "\u24d0lice", "\u1d2clice", " alice ", "\u00a0alice", "alice\n"]
OTHERS: Final = [
    *("alice\0", "ali\nce", "al ice", "\u0430lice", "alice\u200b", "\u202ealice", "al\u0131ce", "al\u0130ce"),
    *("al\u0301ice", "al\u00edce", "alice\u00ad", "", "a" * 65, "*", "a%", "al_ce", "\ufdfa" * 60, "alice,bob"),
]
NAMES: Final = {
    **{f"UN same {name!a}": Case(303, form(name, PASSWORD)) for name in SAME},
    **{f"UN other {name[:9]!a}": Case(401, form(name, PASSWORD)) for name in OTHERS},
}
ROUTES: Final = {
    "MT-01 in the address": Case(200, method=b"GET", target=b"/?" + RIGHT),
    "MT-04 TRACE": Case(405, method=b"TRACE"),
    "MT-05 an unknown method": Case(405, method=b"FOOBAR"),
    "MT-06 in small letters": Case(400, RIGHT, method=b"post"),
    "MT-07 overridden": Case(401, RIGHT + b"x&_method=PUT", lines=(b"X-HTTP-Method-Override: DELETE",)),
    "MT-08 JSON": Case(415, json.dumps({"username": "alice", "password": PASSWORD}).encode(), JSON),
    "MT-09 plain text": Case(415, RIGHT, b"text/plain"),
    "MT-11 a name twice": Case(400, RIGHT + b"&username=bob"),
    "MT-11 a password in brackets": Case(401, b"username=alice&password[]=" + quote(PASSWORD).encode()),
    "MT-11 half in the address": Case(401, b"username=alice", target=b"/?" + RIGHT),
    "MT-13 PUT": Case(405, method=b"PUT"),
    **{
        f"MT-12 {target}": Case(404, RIGHT, target=target.encode())
        for target in ("//", "/./", "/x/..", "/%2e", "/;x", "/login", "/logout/", "//logout", "/LOGOUT", "/x/../logout")
    },
    "MT-14 a link that signs out": Case(303, method=b"GET", target=b"/logout?_method=POST"),
}
CLAIMS: Final = {
    "HD-01 another host": Case(421, RIGHT, lines=(b"Host: evil.test",)),
    "HD-02 a user before the host": Case(421, RIGHT, lines=(b"Host: alice@localhost",)),
    "HD-10 a prefix": Case(401, RIGHT + b"x", lines=(b"SCRIPT_NAME: /evil", b"X-Forwarded-Prefix: /evil")),
    "HD-12 a name from elsewhere": Case(303, method=b"GET", target=b"/account", lines=(b"Remote-User: alice",)),
    "HD-14 a header in the address": Case(404, method=b"GET", target=b"/%0d%0aSet-Cookie:%20x=1"),
    "HD-20 nothing acceptable": Case(401, RIGHT + b"x", lines=(b"Accept: image/png;q=nan, ;;=,",)),
    "CK-14 a token in the address": Case(303, method=b"GET", target=b"/account?vestibule_session=" + b"A" * 43),
}
CORPUS: Final = SIZES | NAMES | ROUTES | CLAIMS
