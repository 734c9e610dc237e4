"""Every page in every state that a person may meet, rendered by Jinja alone, and a small reader of what came out."""

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import service.web.look
from service.access.app_access import Entrance
from service.login.accounts import Account
from service.login.sessions import Session
from service.web.messages import TOO_MANY_ATTEMPTS, Message

Context = dict[str, object]
LOOK: Final = Path(service.web.look.__file__).parent
BRAND: Final = {"name": "Halle & Söhne", "logo_url": None}
NASTY: Final = '"><script>alert(1)</script>'
PROBLEM: Final = "That did not work."
_LIMITS: Final[Context] = {"minimum": 15, "maximum": 128}

ACCOUNT: Final = Account("1", "anna", 0, "آنا ليندكفست", "anna@example.org", ("admins", "ops"), is_admin=True)
CROWDED: Final = Account("2", "b" * 64, 0, NASTY, groups=tuple(f"group-{n}" for n in range(60)))
APP: Final = Entrance(NASTY, "wiki.example.test", "https://wiki.example.test/")
SESSION: Final = Session("5e55", b"", "1", 0, 0, remembered=True, address="", user_agent="")

_SIGN_IN: Final[Context] = {
    "username": "",
    "remember": False,
    "rd": None,
    "problem": None,
    "notice": None,
    "destination": "",
    "refused": None,
    "again_at": "",
    "request_id": "",
}
_TYPED: Final[Context] = {"username": NASTY, "remember": True, "rd": NASTY, "problem": PROBLEM}
_SET_UP: Final[Context] = {"purpose": "set-up", "username": "", "token": NASTY, "problem": None, **_LIMITS}
_ERROR: Final[Context] = {"message": Message("", NASTY, NASTY), "request_id": "5f2c", "again_at": None, "home_url": "/"}
_PASSWORD: Final[Context] = {"username": "anna", "problem": None, "app_passwords": True, **_LIMITS}
_APP_PASSWORDS: Final = [
    {"id": "5e55", "name": NASTY, "apps": NASTY, "used": 7200, "ends": 86_401},
    {"id": "5e56", "name": "b" * 64, "apps": "Wiki", "used": None, "ends": None},
    {"id": "5e57", "name": "لپ‌تاپ", "apps": "Files, Wiki", "used": 59, "ends": 0},
]
_APP_PASSWORD: Final[Context] = {
    "username": "anna",
    "takers": {"files": NASTY, "wiki": "Wiki"},
    "apps": ["wiki"],
    "name": "",
    "ends": "365",
    "lives": {"30": "In 30 days", "365": "In a year", "": "Never"},
    "problem": "",
    "problem_field": "",
}

STATES: Final[dict[str, tuple[str, Context]]] = {
    "sign in": ("sign_in.html", _SIGN_IN),
    "sign in, noticed": ("sign_in.html", _SIGN_IN | {"notice": "You are signed out.", "destination": NASTY}),
    "sign in, refused": ("sign_in.html", _SIGN_IN | _TYPED),
    "sign in, throttled": (
        "sign_in.html",
        _SIGN_IN
        | _TYPED
        | {"problem": None, "refused": (429, TOO_MANY_ATTEMPTS), "again_at": NASTY, "request_id": "5f2c"},
    ),
    "account": (
        "account.html",
        {"account": ACCOUNT, "session": SESSION, "now": 7200, "notice": "Done.", "app_passwords": True, "apps": []},
    ),
    "account, crowded": (
        "account.html",
        {"account": CROWDED, "session": SESSION, "now": 59, "notice": None, "app_passwords": False, "apps": [APP] * 12},
    ),
    "demo": ("demo.html", {}),
    "change password": ("password.html", _PASSWORD),
    "change password, refused": ("password.html", _PASSWORD | {"problem": PROBLEM}),
    "app passwords": (
        "app_passwords.html",
        {"passwords": _APP_PASSWORDS, "takers": {"wiki": "Wiki"}, "notice": "Done."},
    ),
    "app passwords, none": ("app_passwords.html", {"passwords": [], "takers": {}, "notice": None}),
    "new app password": ("app_password_new.html", _APP_PASSWORD),
    "new app password, refused": (
        "app_password_new.html",
        _APP_PASSWORD | {"name": NASTY, "problem": PROBLEM, "problem_field": "apps"},
    ),
    "new app password, for no app": ("app_password_new.html", _APP_PASSWORD | {"takers": {}}),
    "app password made": (
        "app_password_made.html",
        {"username": "anna", "text": f"vst_{'x' * 43}", "name": NASTY, "apps": NASTY, "ends": 1},
    ),
    "set up": ("set_up.html", _SET_UP),
    "set up, refused": ("set_up.html", _SET_UP | {"username": NASTY, "problem": PROBLEM}),
    "invitation": ("set_up.html", _SET_UP | {"purpose": "invitation", "username": "anna"}),
    "reset": ("set_up.html", _SET_UP | {"purpose": "reset", "username": "anna"}),
    "reset, refused": ("set_up.html", _SET_UP | {"purpose": "reset", "username": "anna", "problem": PROBLEM}),
    "sign out": ("sign_out.html", {"account": CROWDED}),
    "not found": ("error.html", _ERROR | {"status": 404}),
    "unauthorized": ("error.html", _ERROR | {"status": 401}),
    "throttled": ("error.html", _ERROR | {"status": 429, "again_at": "in 40 seconds"}),
    "nowhere to go": ("error.html", _ERROR | {"status": 421, "home_url": None, "request_id": None}),
}


@dataclass
class Element:
    """A start tag, and the text up to the next tag."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


class Page(HTMLParser):
    """The elements of a page, in order. Attributes without a value are empty."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.elements: list[Element] = []
        self._reading = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        self._reading = True

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser names it
        self._reading = False

    def handle_data(self, data: str) -> None:
        if self._reading:
            self.elements[-1].text += data

    def all(self, *tags: str) -> list[Element]:
        """Return the elements of these kinds."""
        return [element for element in self.elements if element.tag in tags]

    def by_id(self, name: str) -> Element:
        """Return the one element with this id."""
        (element,) = [element for element in self.elements if element.attributes.get("id") == name]
        return element

    def fields(self) -> list[Element]:
        """Return the fields that a person sees."""
        return [field for field in self.all("input", "select") if field.attributes.get("type") != "hidden"]


def page(template: str, context: Context) -> Page:
    """Render a template with its context and what every page gets; a name that is missing from both fails."""
    templates = Environment(loader=FileSystemLoader(LOOK / "templates"), autoescape=True, undefined=StrictUndefined)
    everywhere = {"brand": BRAND, "asset": lambda name: f"/static/0a1b2c3d/{name}", "theme_url": "/theme.css"}
    return Page(templates.get_template(template).render(everywhere | context))


def state(name: str, **changed: object) -> Page:
    """Return a page in one of its states, with some of its context changed."""
    template, context = STATES[name]
    return page(template, context | changed)
