"""Style sheet, theme and pictures, under one address that changes whenever any of them does.

nginx serves the same files from a folder of the same name, so that they may be kept for ever; an address
with an old version is nothing (404), never new content under an old name.
"""

import hashlib
from importlib.resources import files
from typing import Final

from flask import Flask, Response
from werkzeug.exceptions import NotFound

from service.services import Brand
from service.web.look.theme import theme_css

FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml", "png": "image/png"}


class Assets:
    """The files of one brand, and the version that names them all."""

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
        """Return the address of a file. Raises KeyError for one that is not there."""
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"


def init_app(app: Flask, brand: Brand) -> None:
    """Serve the assets, and teach the templates their addresses and the brand's name."""
    assets = Assets(brand)

    def static(version: str, name: str) -> Response:
        if version != assets.version or name not in assets.files:
            raise NotFound
        response = Response(assets.files[name], content_type=_TYPES[name.rpartition(".")[2]])
        response.headers["Cache-Control"] = FOR_EVER
        return response

    app.add_url_rule("/static/<version>/<name>", view_func=static)
    app.context_processor(lambda: page_context(assets, brand))


def page_context(assets: Assets, brand: Brand) -> dict[str, object]:
    """Return what every page is rendered with."""
    return {
        "brand": {"name": brand.name, "logo_url": assets.url(assets.logo) if assets.logo else None},
        "asset": assets.url,
        "theme_url": assets.url("theme.css"),
    }
