"""Assets and the error pages of nginx: files that nginx serves by itself.

Assets have an address that changes with the content of any of them, so browsers may store them for ever.
"""

import hashlib
import json
from importlib.resources import files
from typing import Final

from flask import Flask
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from service.services import Brand
from service.web.look.theme import theme_css
from service.web.messages import MESSAGES

# For nginx's SSI. Its single quotes need no escape in JSON.
REQUEST_ID: Final = Markup("<!--# echo var='request_id' -->")
_MADE_BY_NGINX: Final = (400, 404, 405, 408, 413, 414, 421, 429, 431, 502, 503)
_RETRY: Final = {429: "in a minute", 502: "in a moment", 503: "in a moment"}
# nginx cannot show a refused form again, but the browser can.
_GO_BACK: Final = "{} If you had filled in a form, going back in your browser shows it again."


class Assets:
    """The assets of one brand by name, and the version that is part of their addresses."""

    def __init__(self, brand: Brand) -> None:
        shipped = files("service.web.look") / "static"
        self.files = {entry.name: entry.read_bytes() for entry in shipped.iterdir() if entry.is_file()}
        self.files["theme.css"] = theme_css(brand.accent).encode()
        self.logo = None
        if brand.logo is not None:
            self.logo = "brand.png" if brand.logo.startswith(b"\x89PNG") else "brand.svg"
            self.files[self.logo] = brand.logo
        whole = hashlib.sha256()
        for name in sorted(self.files):
            whole.update(name.encode() + b"\0" + hashlib.sha256(self.files[name]).digest())
        self.version = whole.hexdigest()[:8]

    def url(self, name: str) -> str:
        """Return the address of an asset. Raises KeyError for an unknown name."""
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"


def init_app(app: Flask, brand: Brand) -> None:
    shared = _page_context(Assets(brand), brand)
    app.context_processor(lambda: shared)


def _page_context(assets: Assets, brand: Brand) -> dict[str, object]:
    return {
        "brand": {"name": brand.name, "logo_url": assets.url(assets.logo) if assets.logo else None},
        "asset": assets.url,
        "theme_url": assets.url("theme.css"),
    }


def nginx_files(brand: Brand) -> dict[str, bytes]:
    """Return the files below nginx's root by path: `static/<version>/<name>`, `errors/<status>.<html|json>`, /demo/."""
    assets = Assets(brand)
    made = {f"static/{assets.version}/{name}": content for name, content in assets.files.items()}
    templates, shown = (
        Environment(loader=PackageLoader("service.web.look"), autoescape=True),
        _page_context(assets, brand),
    )
    made["demo/page.html"] = templates.get_template("demo.html").render(**shown).encode()
    page = templates.get_template("error.html")
    for status in _MADE_BY_NGINX:
        message = MESSAGES[status]
        if status in _RETRY:
            message = message._replace(text=_GO_BACK.format(message.text))
        facts = {"status": status, "message": message, "request_id": REQUEST_ID, "again_at": _RETRY.get(status)}
        made[f"errors/{status}.html"] = page.render(**shown, **facts, home_url="/").encode()
        body = {"error": message.name, "message": MESSAGES[status].text, "request_id": str(REQUEST_ID)}
        made[f"errors/{status}.json"] = json.dumps(body).encode()
    return made
