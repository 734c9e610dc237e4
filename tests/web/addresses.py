"""Every address of the app, read from its URL map, with something that fits where a rule has a blank."""

from collections.abc import Iterator

from flask import Flask


def addresses(app: Flask, method: str) -> Iterator[str]:
    """Yield every address that answers to this method, by itself and not by Flask's own doing."""
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()):
            yield rule.rule.replace("<version>", "00000000").replace("<name>", "style.css")
