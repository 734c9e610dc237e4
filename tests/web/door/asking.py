"""Asks the door as nginx and other proxies do: an app `wiki` with two rule paths, over stores in memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from werkzeug.test import Client, TestResponse

from service.access.apps import App
from service.access.judged_set import JudgedSet
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule
from service.login.sign_in import new_session
from tests.rig.people import CLIENT, alice
from tests.rig.world import World

PUBLIC = PublicAddress("https", "auth.example.test", 443)
WIKI = App(
    "wiki",
    PublicAddress("https", "wiki.example.test", 443),
    "http://127.0.0.1:3000",
    "Wiki",
    (
        Rule(number=1, path="/admin", groups=("ops",), fresh=600),
        Rule(number=2, path="/public", allow=Allow.EVERYONE),
        Rule(number=3, groups=("staff",), report_only=True),
        Rule(number=4, allow=Allow.SIGNED_IN),
    ),
)
NAME = "__Secure-vestibule"


class Proxy:
    """A proxy before one app in force, over a world of its own; `token` is that of a live session of alice."""

    def __init__(
        self, *apps: App, cache_seconds: int = 1, services: Mapping[str, Any] | None = None, **account: Any
    ) -> None:
        self.world = World()
        self.apps = JudgedSet(apps or (WIKI,))
        made = {"public": PUBLIC, "cookie_domain": "example.test", "door_cache_seconds": cache_seconds}
        self.flask = self.world.app(**made, apps=lambda: self.apps, **(services or {}))
        self._client = Client(self.flask.wsgi_app, use_cookies=False)
        self.world.rows.accounts["a1"] = alice(**account)
        opened = new_session(self.world.rows.accounts["a1"], client=CLIENT, remembered=False, now=self.world.now)
        self.world.rows.sessions[opened.session.token_hash] = opened.session
        self.token = opened.token

    def verify(self, url: str = "/", *, method: str = "GET", signed_in: bool = True, **headers: str) -> TestResponse:
        """Ask as nginx does before each request."""
        return self._ask("/auth/verify", url, method, signed_in, headers)

    def forward(self, url: str = "/", *, method: str = "GET", signed_in: bool = False, **headers: str) -> TestResponse:
        """Ask as nginx does after a no."""
        return self._ask("/auth/forward", url, method, signed_in, headers)

    def _ask(self, path: str, url: str, method: str, signed_in: bool, headers: dict[str, str]) -> TestResponse:  # noqa: FBT001
        sent = {
            "X-Original-URL": url if "://" in url else f"https://wiki.example.test{url}",
            "X-Original-Method": method,
            "X-Forwarded-For": "192.0.2.7",
            "Vestibule-Rules": self.apps.hash,
            "Cookie": f"{NAME}={self.token}" if signed_in else None,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(path, {name: value for name, value in sent.items() if value is not None})

    def ask(self, path: str, headers: dict[str, str]) -> TestResponse:
        """Ask with exactly these headers."""
        return self._client.get(path, headers=list(headers.items()))

    def change_account(self, **changed: Any) -> None:
        """Change alice's account behind the door's back."""
        self.world.rows.accounts["a1"] = replace(self.world.rows.accounts["a1"], **changed)
