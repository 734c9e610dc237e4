"""Properties of what decides by a header: each has one reading, written down here a second time (HD, CS, CK)."""

import ipaddress
import re
from typing import Final

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from service.services import OuterLimit
from service.web import context, errors
from service.web.front import error_fallback
from tests.rig.promises import kept
from tests.rig.wire import ask
from tests.rig.world import World

APP: Final[Flask] = World().app(outer_limit=OuterLimit(10**9, "memory://", {}, b"a key"))
OURS: Final = "http://localhost:8080"
HOST: Final = "localhost:8080"
MARK: Final = "<x-mark>"

latin = st.text(st.characters(max_codepoint=255), max_size=60)
sites = (
    st.none() | st.sampled_from(["same-origin", "none", "same-site", "cross-site", "", "None", "none, none"]) | latin
)
origins = st.none() | st.sampled_from([OURS, f"{OURS}/", f"{OURS}0", OURS.upper(), "null", "", f" {OURS}"]) | latin
hosts = (
    st.sampled_from([HOST, HOST.upper(), "localhost", f"{HOST}.", f" {HOST}", f"{HOST}\n", f"{HOST},{HOST}"]) | latin
)
blanks = st.sampled_from(["", "", " ", "\t", "\xa0"])
pairs = st.sampled_from(
    ["N=T", "N=T", "N", "N=", "N =T", "N= T", "n=T", "=N=T", 'N="T"', "N=T=", "N=x", "x=T", ""]
).map(lambda pair: pair.replace("N", "vestibule_session").replace("T", "A" * 43))
cookies = st.lists(st.tuples(blanks, pairs, blanks).map("".join), max_size=3).map(";".join) | latin
ids = st.from_regex(r"[0-9a-f]{32}[0-9a-f\n, G]?", fullmatch=True) | st.text(
    "0123456789abcdefABG", min_size=32, max_size=32
)
addresses = st.ip_addresses().map(str) | st.ip_addresses(v=6).map("{}%eth0".format) | latin


def sent(**headers: str | None) -> list[tuple[str, str]]:
    """Return those headers that were sent at all."""
    return [(name.replace("_", "-"), value) for name, value in headers.items() if value is not None]


@given(
    st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "ODD"]),
    sites,
    origins,
    st.sampled_from([None, "", "x=1"]) | cookies,
)
def test_one_rule_says_whose_form_it_is(method: str, site: str | None, origin: str | None, cookie: str | None) -> None:
    """Sec-Fetch-Site decides, without it Origin, without both whether a cookie came; whatever is not ours is 403."""
    is_ours = not cookie
    if origin is not None:
        is_ours = origin == OURS
    if site is not None:
        is_ours = site in ("same-origin", "none")

    answer = kept(ask(APP, method, "/logout", headers=sent(Sec_Fetch_Site=site, Origin=origin, Cookie=cookie)))

    assert (answer.status != 403) is is_ours


@given(hosts)
def test_one_host_is_ours(host: str) -> None:
    """A Host is our own, in any case, or the answer is 421; none comes back in a page or in a header."""
    answer = kept(ask(APP, "GET", "/account", HTTP_HOST=host + (MARK if MARK in host else "")))

    assert answer.status == (303 if host.lower() == HOST else 421)
    assert MARK not in answer.text + str(answer.headers)


@given(ids | latin)
def test_only_ids_that_nginx_makes_are_taken_over(claimed: str) -> None:
    """Anything but 32 small hex digits is answered under an id of our own."""
    answer = kept(ask(APP, headers=[("X-Request-ID", claimed)]))

    assert (answer.get("X-Request-ID") == claimed) is bool(re.fullmatch("[0-9a-f]{32}", claimed))


@given(st.text(max_size=400), addresses)
def test_what_is_kept_of_a_client_is_short_and_plain(agent: str, address: str) -> None:
    """Of a browser's name the printable beginning; of an address its one spelling, or that there is none."""
    with APP.test_request_context("/", environ_overrides={"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}):
        client = context.client()

    assert client.user_agent == "".join(letter for letter in agent if letter.isprintable())[:200]
    assert client.address == "unknown" or client.address == str(ipaddress.ip_address(client.address))
    assert "%" not in client.address


qualities = st.sampled_from(["", ";q=0", ";q=0.1", ";q=0.5", ";q=0.9", ";q=1", ";q=1.0"])
ranges = st.sampled_from(["application/json", "text/html", "application/*", "text/*", "*/*", "image/png"])


@given(st.lists(st.tuples(ranges, qualities), max_size=5, unique_by=lambda each: each[0]))
def test_who_gets_json_by_the_letter(wanted: list[tuple[str, str]]) -> None:
    """JSON where Accept ranks it above HTML, the most specific range of each counting (RFC 9110, 12.5.1)."""
    asked = {name: float(quality.partition("=")[2] or 1) for name, quality in wanted}

    def rank(kind: str) -> float:
        return next((asked[each] for each in (kind, f"{kind.partition('/')[0]}/*", "*/*") if each in asked), 0)

    with APP.test_request_context("/", headers={"Accept": ", ".join(map("".join, wanted))}):
        assert errors.prefers_json() is (rank("application/json") > rank("text/html"))


@given(
    latin | st.lists(st.sampled_from(["application/json", "text/html", ";", "q=", "9", ",", "*/*", "="])).map("".join)
)
def test_any_accept_gets_a_page_or_json(accept: str) -> None:
    """Whatever Accept says: one of the two forms, of a refusal and of the last resort."""
    answer = kept(ask(APP, "GET", "/nope", headers=[("Accept", accept)]))
    headers, body = error_fallback(accept, "0" * 32)

    assert (answer.status, headers["Content-Type"] in {"application/json", "text/html; charset=utf-8"}) == (404, True)
    assert body.startswith((b"<!doctype html>", b'{"error"'))
