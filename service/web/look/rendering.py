"""Pages that a flood of requests gets: rendered once for each wording; each request only fills in escaped text."""

import re
from collections.abc import Hashable, Mapping
from typing import Final

from flask import current_app, render_template
from markupsafe import Markup, escape

_RENDERED: Final = "vestibule.rendered"
_PLACE: Final = re.compile("\0([a-z_]+)\0")


def page(template: str, *, filled: Mapping[str, str], **fixed: Hashable) -> str:
    """Return a page. `filled` takes any text; each combination of `fixed` values is cached, so they must be few."""
    rendered: dict[object, str] = current_app.extensions.setdefault(_RENDERED, {})
    key = (template, *(name for name, text in filled.items() if text), *fixed.items())
    if key not in rendered:
        places = {name: Markup(f"\0{name}\0") if text else "" for name, text in filled.items()}  # noqa: S704 - names
        rendered[key] = render_template(template, **places, **fixed)
    return _PLACE.sub(lambda place: escape(filled[place[1]]), rendered[key])
