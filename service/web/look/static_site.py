"""The files that nginx serves by itself: the assets, and a page and a JSON body for each error it makes.

They come from the same template and sentences as the service's own answers; where the request id belongs
stands what nginx's SSI fills in.
"""

import json
from typing import Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from service.services import Brand
from service.web.look.assets import Assets, page_context
from service.web.messages import ANSWERS

REQUEST_ID: Final = Markup("<!--# echo var='request_id' -->")  # in single quotes it stands in JSON too
_MADE_BY_NGINX: Final = (400, 404, 405, 408, 413, 414, 421, 429, 431, 502, 503)
_COME_BACK: Final = {429: "in a minute", 502: "in a moment", 503: "in a moment"}
# nginx knows nothing of a form that it refused; the browser does.
_GO_BACK: Final = "{} If you had filled in a form, going back in your browser shows it again."


def files(brand: Brand) -> dict[str, bytes]:
    """Return every file by its path below nginx's root: `static/<version>/<name>`, `errors/<status>.<html|json>`."""
    assets = Assets(brand)
    made = {f"static/{assets.version}/{name}": content for name, content in assets.files.items()}
    templates = Environment(loader=PackageLoader("service.web.look"), autoescape=True)
    page = templates.get_template("error.html")
    for status in _MADE_BY_NGINX:
        said = ANSWERS[status]
        message = _GO_BACK.format(said.message) if status in _COME_BACK else said.message
        facts = {"status": status, "title": said.title, "message": message, "request_id": REQUEST_ID}
        html = page.render(**page_context(assets, brand), **facts, again_at=_COME_BACK.get(status), home_url="/")
        made[f"errors/{status}.html"] = html.encode()
        body = {"error": said.name, "message": said.message, "request_id": str(REQUEST_ID)}
        made[f"errors/{status}.json"] = json.dumps(body).encode()
    return made
