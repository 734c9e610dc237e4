"""Metrics: right, closed, readable by Prometheus, and never a door to anything (OB, MT-05)."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.login.attempts import Limit, Scope
from service.services import OuterLimit
from service.web.telemetry import events
from tests.rig import scraped
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW, THROTTLES, alice
from tests.rig.promises import CLOSED_LIST, kept
from tests.rig.promtool import complaints
from tests.rig.wire import ask, post
from tests.rig.world import World, browser

RIGHT: Final = {"username": "alice", "password": PASSWORD}
METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "OTHER"}
UNLIMITED: Final = OuterLimit(10**9, "memory://", {}, b"a key")


def attempts(app: Flask) -> dict[str, float]:
    """Return how sign-ins ended, by outcome, where any did."""
    found = scraped.series(scraped.text(app))
    return {
        dict(labels)["outcome"]: value
        for (name, labels), value in found.items()
        if name == "vestibule_sign_in_attempts_total" and value
    }


def test_requests_are_counted_by_method_and_status(world: World) -> None:
    """Each answer is one in its own series, and timed under its page's rule."""
    app = world.app()
    answers = [ask(app), ask(app), ask(app, "GET", "/nope"), ask(app, "PUT"), post(app), ask(app, "HEAD", "/account")]
    exposed = scraped.text(app)

    counted = {
        (method, status): scraped.total(exposed, "flask_http_request_total", method=method, status=status)
        for method, status in [("GET", "200"), ("GET", "404"), ("PUT", "405"), ("POST", "401"), ("HEAD", "303")]
    }
    timed = scraped.total(exposed, "flask_http_request_duration_seconds_count", url_rule="/")

    assert [answer.status for answer in answers] == [200, 200, 404, 405, 401, 303]
    assert list(counted.values()) == [2, 1, 1, 1, 1]
    assert timed == 3


def test_every_outcome_of_a_sign_in_is_counted(world: World) -> None:
    """Granted, wrong, unknown and disabled each have their counter; the sum is the number of attempts."""
    world.rows.accounts["b"] = alice(id="b", username="bob", disabled_at=NOW)
    app = world.app()
    client = browser(app)
    for name, password in [("alice", PASSWORD), ("alice", "x"), ("nobody", "x"), ("no body", "x"), ("bob", PASSWORD)]:
        client.post("/", data={"username": name, "password": password})

    assert attempts(app) == {"granted": 1, "wrong_password": 1, "unknown": 2, "disabled": 1}


def test_known_devices_are_counted_apart(world: World) -> None:
    """A browser that signed in before is `known` for that account, whatever the outcome, and `new` for all others."""
    world.rows.accounts["b"] = alice(id="b", username="bob")
    app = world.app()
    client = browser(app)
    for name, password in [("alice", PASSWORD), ("alice", PASSWORD), ("alice", "x"), ("bob", "x"), ("nobody", "x")]:
        client.post("/", data={"username": name, "password": password})
    exposed = scraped.text(app)

    def count(outcome: str, device: str) -> float:
        return scraped.total(exposed, "vestibule_sign_in_attempts_total", outcome=outcome, device=device)

    asked = [("granted", "new"), ("granted", "known"), ("wrong_password", "known"), ("wrong_password", "new")]
    assert [count(*each) for each in asked] == [1, 1, 1, 1]
    assert [count("unknown", device) for device in ("known", "new")] == [0, 1]


def test_throttled_networks_are_counted(world: World) -> None:
    """The gauge is the number of networks that may not try again yet."""
    limits = THROTTLES | {Scope.NETWORK: Limit(2, 60)}
    app = world.app(throttles=limits)
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        post(app, "/", "username=nobody&password=x", HTTP_X_FORWARDED_FOR=address, REMOTE_ADDR=address)

    assert scraped.total(scraped.text(app), "vestibule_throttled_networks") == 1


def test_what_was_never_an_attempt_is_none(world: World) -> None:
    """Unreadable, cross-site and throttled requests are no sign-ins; the last are counted as throttled."""
    app = world.app(outer_limit=OuterLimit(1, "memory://", {}, b"a key"))
    post(app, "/", "username=%ff")
    ask(app, "POST", headers=[("Origin", "https://evil.test")])
    throttled = [post(app, "/", "username=alice&password=x").status for _ in range(3)]

    assert (throttled, attempts(app)) == ([429] * 3, {})
    assert scraped.total(scraped.text(app), "vestibule_throttled_total", scope="posts") == 3


def test_series_are_there_from_the_start(world: World) -> None:
    """Every counter of ours shows its whole closed set at zero, so that the first event is an increase."""
    exposed = scraped.text(world.app())
    outcomes = {"granted", "unknown", "disabled", "wrong_password", "unusable_hash", "throttled", "busy", "changed"}

    assert set(scraped.label_values(exposed, "outcome")) == outcomes
    assert set(scraped.label_values(exposed, "device")) == {"known", "new"}
    assert set(scraped.label_values(exposed, "scope")) == {"posts", "block", *Scope}
    assert scraped.total(exposed, "vestibule_sign_in_attempts_total") == 0


def test_strangers_add_no_series(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand paths, methods, hosts, names, types and addresses add nothing to what the first few made."""
    monkeypatch.setattr(events, "_log", SimpleNamespace(info=lambda *_args, **_facts: None))
    app = world.app(outer_limit=UNLIMITED)

    def stranger(n: int) -> None:
        method = ("GET", "POST", "PUT", f"X{n:X}", "TRACE")[n % 5]
        target = (f"/{n}", f"/account/{n}", f"/static/{n}/{n}.css", f"/?{n}", f"/setup?token={n}", f"/%ff{n}")[n % 6]
        sent: list[tuple[str, str]] = [("Sec-Fetch-Site", "same-origin"), ("User-Agent", str(n)), ("Accept", f"a/{n}")]
        body = f"username=u{n}&password={n}".encode()
        content_type = ("application/x-www-form-urlencoded", f"x/{n}")[n % 2]
        host = ("localhost:8080", f"h{n}")[n % 7 == 0]
        more: dict[str, Any] = {"HTTP_HOST": host, "HTTP_X_FORWARDED_FOR": f"10.0.{n // 256}.{n % 256}"}
        ask(app, method, target, headers=sent, body=body, content_type=content_type, **more)

    for n in range(420):  # 5, 6, 2 and 7 have met in every way
        stranger(n)
    before = scraped.series(scraped.text(app)).keys()
    for n in range(420, 2420):
        stranger(n)
    after = scraped.series(scraped.text(app)).keys()

    assert after - before == set()


def test_labels_are_members_of_closed_sets(world: World) -> None:
    """Methods, statuses, rules, outcomes, scopes, states, releases: there is no other label, and no other value."""
    app = world.app(outer_limit=UNLIMITED)
    for method in [*METHODS, "get", "FOO", "ÿ", "A" * 500]:
        for target in ("/", "/nope", "/account", "/static/a/b", "/healthz/"):
            ask(app, method, target)
    exposed = scraped.text(app)
    rules = {rule.rule for rule in app.url_map.iter_rules()} | {"None"}

    names = {name for _, labels in scraped.series(exposed) for name, _ in labels}
    assert names == {
        "method",
        "status",
        "url_rule",
        "le",
        "outcome",
        "device",
        "scope",
        "state",
        "release",
        "version",
    }
    assert set(scraped.label_values(exposed, "method")) == METHODS | {"password"}
    assert {int(status) for status in scraped.label_values(exposed, "status")} <= CLOSED_LIST
    assert set(scraped.label_values(exposed, "url_rule")) <= rules


def test_nobody_is_in_the_metrics(client: FlaskClient, world: World) -> None:
    """No name, address, password, token, session or user agent stands in what is scraped (OB-03)."""
    client.post("/", data=RIGHT, headers={"User-Agent": "canary-agent"})
    client.post("/", data={"username": "canary-name", "password": "canary-password"})
    client.get("/setup?token=canary-token")
    session = next(iter(world.rows.sessions.values()))

    exposed = scraped.text(client.application)

    assert [word for word in ("alice", "canary", "127.0.0.1", session.id, OTHER_PASSWORD) if word in exposed] == []


def test_asking_how_it_is_counts_nothing(world: World) -> None:
    """Scrapes and probes are not requests of people."""
    app = world.app()
    before = scraped.series(scraped.text(app))
    for path in ("/metrics", "/healthz", "/readyz") * 3:
        assert kept(ask(app, "GET", path, HTTP_HOST="10.0.0.1:9180")).status == 200

    assert scraped.series(scraped.text(app)) == before


def test_promtool_finds_nothing(world: World) -> None:
    """Names, types, helps and units are as Prometheus wants them, before and after there was traffic.

    But for one name that is ours for good and has the word for a type in it: what degrades is the counters' store.
    """
    app = world.app()

    before = complaints("check", "metrics", text=scraped.text(app))
    post(app, "/", "username=alice&password=x")
    after = complaints("check", "metrics", text=scraped.text(app))

    said = "vestibule_counter_store_degraded metric name should not include type 'counter'\n"
    assert (before, after) == (said, said)


def test_each_metric_has_one_description(world: World) -> None:
    """A name has one help and one type, which is what makes the text readable at all."""
    exposed = scraped.text(world.app())
    helps = Counter(line.split()[2] for line in exposed.splitlines() if line.startswith("# HELP"))

    assert {name for name, times in helps.items() if times > 1} == set()
    assert [family.name for family in scraped.families(exposed) if not family.documentation] == []
