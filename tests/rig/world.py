"""The web app over stores in memory, with a clock that stands still until a test moves it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.access.apps import App
from service.access.judged_set import JudgedSet
from service.access.public_address import PublicAddress
from service.access.session_cookie import probe_cookie_name
from service.app import create_app
from service.login.verify_password import Verifier
from service.services import Brand, Health, OuterLimit, Services
from tests.rig.gates import Gate
from tests.rig.memory_store import (
    MemoryAccounts,
    MemoryAppPasswords,
    MemoryAudit,
    MemoryBlocks,
    MemoryLinks,
    MemorySessions,
    Rows,
)
from tests.rig.people import LIFETIMES, NOW, alice, verifier

LOCAL = PublicAddress("http", "localhost", 8080)
HTTPS = PublicAddress("https", "auth.example.test", 443)


@dataclass
class World:
    """What a test may look at and change behind the app's back."""

    rows: Rows = field(default_factory=lambda: Rows(accounts={"a1": alice()}))
    apps: tuple[App, ...] = ()
    now: int = NOW
    database_answers: bool = True
    migrations_pending: bool = False
    apps_are_readable: bool = True
    when_degraded: list[Callable[[bool], None]] = field(default_factory=list)

    def services(self, **changed: object) -> Services:
        """Return services over this world's rows, with some of them, or of their verifier's parts, changed."""
        parts = {name: changed.pop(name) for name in Verifier.__slots__ if name in changed}
        services = Services(
            accounts=MemoryAccounts(self.rows),
            sessions=MemorySessions(self.rows),
            links=MemoryLinks(self.rows),
            app_passwords=MemoryAppPasswords(self.rows),
            audit=MemoryAudit(self.rows),
            blocks=MemoryBlocks(self.rows),
            verifier=verifier(self.rows, **({"gate": Gate()} | parts)),
            lifetimes=LIFETIMES,
            public=LOCAL,
            brand=Brand("Vestibule", "#2f5bd0"),
            health=Health(
                lambda: self.database_answers,
                lambda: self.migrations_pending,
                self.when_degraded.append,
                lambda: self.apps_are_readable,
            ),
            outer_limit=OuterLimit(1000, "memory://", {}, b"a key"),
            clock=lambda: self.now,
            transaction=self.rows.transaction,
            apps=lambda: JudgedSet(self.apps),
        )
        return replace(services, **changed)  # type: ignore[arg-type]

    def app(self, **changed: object) -> Flask:
        """Return an app of its own over this world, with some of its services changed."""
        return create_app(self.services(**changed))


class Browser(FlaskClient):
    """A client that asks for the public address, as a browser that follows links of ours would."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        public = self.application.extensions["vestibule"].public
        kwargs.setdefault("base_url", public.origin)
        headers = dict(kwargs.pop("headers", None) or {})
        headers.setdefault("Sec-Fetch-Site", "same-origin")
        return super().open(*args, headers={k: v for k, v in headers.items() if v is not None}, **kwargs)


def browser(app: Flask) -> FlaskClient:
    """Return a browser that has seen the sign-in form, and has no other cookie."""
    app.test_client_class = Browser
    client, services = app.test_client(), app.extensions["vestibule"]
    client.set_cookie(probe_cookie_name(services.public, services.cookie_domain), "1", domain=services.public.host)
    return client
