"""Apps that tests put in force."""

from typing import Any

from service.access.apps import App
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule


def app(name: str = "wiki", **facts: Any) -> App:
    """Return an app for everyone who is signed in, which takes app passwords unless `facts` say otherwise."""
    known: dict[str, Any] = {
        "name": name,
        "address": PublicAddress("https", f"{name}.example.test", 443),
        "upstream": "http://127.0.0.1:3000",
        "title": name.capitalize(),
        "rules": (Rule(number=1, allow=Allow.SIGNED_IN),),
        "app_passwords": True,
    }
    return App(**(known | facts))
