"""The pages of refusals, which stand at the address of an app.

They bring all that they need, so that the app's host is asked for nothing more: the policy of each page allows its one
style sheet by its hash, and pictures that are inside the page.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.access.decision import Outcome
from service.services import Brand, Services
from service.web.door.check import Apart, Checked, Credential
from service.web.door.kinds import READS, Kind
from service.web.look.theme import theme_css
from service.web.messages import BLOCKED, DOOR_MESSAGES, NOT_FOR_PROGRAMS, NOTHING_SENT, Message

_POLICY: Final = "default-src 'none'; {more}base-uri 'none'; form-action 'none'; frame-ancestors {framed}"
# Of an answer that is not one of these pages.
BARE: Final = [
    ("Content-Security-Policy", _POLICY.format(more="", framed="'none'")),
    ("X-Frame-Options", "DENY"),
]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the headers that go with it."""

    headers: list[tuple[str, str]]
    body: bytes


class _Look:
    """The style and the mark of one brand, and its template."""

    def __init__(self, brand: Brand) -> None:
        shipped = files("service.web.look") / "static" / "style.css"
        style = shipped.read_text("utf-8") + theme_css(brand.accent)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.allowed = f"style-src 'sha256-{digest}'; img-src data:; "
        loader = ChoiceLoader([PackageLoader("service.web.door"), PackageLoader("service.web.look")])
        templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        shared = {"brand": {"name": brand.name, "logo_url": _data_url(brand.logo)}, "style": Markup(style)}  # noqa: S704
        self.template = templates.get_template("refused.html", globals=shared)


@lru_cache(maxsize=4)
def look_of(brand: Brand) -> _Look:
    return _Look(brand)


def _data_url(logo: bytes | None) -> str | None:
    if logo is None:
        return None
    kind = "png" if logo.startswith(b"\x89PNG") else "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(logo).decode()}"


def message_of(checked: Checked, kind: Kind) -> Message:
    outcome, account = checked.outcome, checked.account
    if outcome is Apart.BLOCKED:
        return BLOCKED
    app = checked.app.title if checked.app else ""
    is_program = outcome is Outcome.NOT_FRESH and checked.credential is Credential.PROGRAM
    message = NOT_FOR_PROGRAMS if is_program else DOOR_MESSAGES[outcome.value]
    text = message.text.format(app=app)
    if outcome is Outcome.NOT_ADMITTED and kind is Kind.PROGRAM and account:
        text = f"You are signed in as {account.username}. {text}"
    return message._replace(text=text)


def page(
    checked: Checked, message: Message, services: Services, *, kind: Kind, login_url: str | None, request_id: str
) -> Page:
    look, original = look_of(services.brand), checked.original
    was_sent = original is not None and original.method not in READS
    in_frame = kind is Kind.FRAME
    body = look.template.render(
        message=message,
        nothing_sent=NOTHING_SENT.format(app=checked.app.title if checked.app else "") if was_sent else "",
        account=checked.account,
        login_url=login_url,
        home_url=None if checked.outcome is Apart.BLOCKED else services.public.origin,
        in_frame=in_frame,
        status=401 if login_url else 403,
        request_id=request_id,
    )
    policy = _POLICY.format(more=look.allowed, framed="*" if in_frame else "'none'")
    headers = [("Content-Security-Policy", policy)]
    return Page(headers if in_frame else [*headers, ("X-Frame-Options", "DENY")], body.encode())
