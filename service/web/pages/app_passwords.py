"""The pages of app passwords: their list, where each is ended, and the form for a new one, shown once in its answer."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.exceptions import BadRequest

from service.access.app_passwords import takers
from service.login.app_passwords import AppPassword
from service.login.attempts import Throttled
from service.login.audit import Happened
from service.login.new_app_password import NewAppPassword, Reason, Wanted, end_as_owner, make_as_owner
from service.login.new_password import Browser, Problem
from service.login.refusal import Refusal
from service.login.sessions import SignedIn
from service.web import context, errors
from service.web.cookies import notices
from service.web.guard import forms
from service.web.guard.needs_session import needs_session, sign_in_first
from service.web.messages import PROBLEMS
from service.web.redirects import see_other
from service.web.telemetry import reporting as telemetry

LIST: Final = "/account/app-passwords"
pages = Blueprint("app_passwords", __name__, url_prefix=LIST)
_APP: Final = "app-"  # before the name of an app: the form's field that chooses it
_OTHER_FIELDS: Final = 3
_DAY: Final = 24 * 60 * 60
_LIVES: Final = {"30": "In 30 days", "90": "In 90 days", "365": "In a year", "": "Never"}
_LIFE: Final = "365"
_FIELDS: Final[dict[StrEnum, str]] = {
    Reason.NAME: "name",
    Reason.NAME_TAKEN: "name",
    Reason.NO_APP: "apps",
    Reason.NOT_TAKEN: "apps",
}


@pages.route("", methods=["GET", "POST"])
@needs_session
def home(signed_in: SignedIn) -> Response:
    """List the account's app passwords, or end one of them."""
    return _end(signed_in, forms.read()) if request.method == "POST" else _list(signed_in)


@pages.route("/new", methods=["GET", "POST"])
@needs_session
def new(signed_in: SignedIn) -> Response:
    """Show the form, or make an app password, which needs the current password."""
    choices = _takers(signed_in)
    if request.method == "POST":
        return _make(signed_in, forms.read(most=_OTHER_FIELDS + len(choices)), choices)
    only = choices if len(choices) == 1 else {}
    return _form(signed_in, choices, {f"{_APP}{name}": "on" for name in only})


def _takers(signed_in: SignedIn) -> dict[str, str]:
    return takers(context.services().apps().apps, signed_in.account)


def _list(signed_in: SignedIn) -> Response:
    choices, now = _takers(signed_in), context.now()
    found = context.services().app_passwords.of_account(signed_in.account.id)
    shown = [_shown(each, choices, now) for each in found]
    return make_response(render_template("app_passwords.html", passwords=shown, takers=choices, notice=notices.take()))


def _shown(password: AppPassword, choices: Mapping[str, str], now: int) -> dict[str, Any]:
    """Return what the list shows: times as seconds from now, apps by their titles."""
    return {
        "id": password.id,
        "name": password.name,
        "apps": _titles(password, choices),
        "used": None if password.seen_at is None else now - password.seen_at,
        "ends": None if password.ends_at is None else password.ends_at - now,
    }


def _titles(password: AppPassword, choices: Mapping[str, str]) -> str:
    return ", ".join(choices.get(name, name) for name in password.apps)


def _end(signed_in: SignedIn, form: dict[str, str]) -> Response:
    """End one, and show the list. One that is not there any more has ended: a second click is no fault."""
    password_id, response = form.get("id", ""), see_other(LIST)
    browser = Browser(signed_in, context.client())
    if end_as_owner(browser, password_id, context.services(), now=context.now()):
        telemetry.event(Happened.APP_PASSWORD_ENDED, account=signed_in.account.username, app_password=password_id)
        notices.leave(response, "app-password-ended")
    return response


def _make(signed_in: SignedIn, form: dict[str, str], choices: Mapping[str, str]) -> Response:
    services, days = context.services(), form.get("ends", _LIFE)
    if days not in _LIVES:
        raise BadRequest
    outcome = make_as_owner(
        Browser(signed_in, context.client()),
        Wanted(form.get("name", ""), _chosen(form), int(days) * _DAY if days else None),
        current=form.get("current", ""),
        takers=choices,
        stores=services,
        verifier=services.verifier,
        now=context.now(),
    )
    if isinstance(outcome, NewAppPassword):
        return _made(outcome, choices)
    if isinstance(outcome, Refusal):
        return _form_again(signed_in, choices, form, str(outcome), _FIELDS.get(outcome.reason, ""))
    return _refused(signed_in, choices, form, outcome)


def _chosen(form: Mapping[str, str]) -> list[str]:
    return [name.removeprefix(_APP) for name in form if name.startswith(_APP)]


def _made(made: NewAppPassword, choices: Mapping[str, str]) -> Response:
    password, username = made.password, made.account.username
    telemetry.event(Happened.APP_PASSWORD_MADE, account=username, app_password=password.id, apps=password.apps)
    shown = _shown(password, choices, context.now())
    return make_response(render_template("app_password_made.html", text=made.text, username=username, **shown))


def _refused(
    signed_in: SignedIn, choices: Mapping[str, str], form: dict[str, str], refused: Problem | Throttled
) -> Response:
    """Answer why the current password was not accepted."""
    reason = "throttled" if isinstance(refused, Throttled) else refused.value
    telemetry.event(Happened.APP_PASSWORD_REFUSED, account=signed_in.account.username, reason=reason)
    if isinstance(refused, Throttled):
        return errors.throttled(refused)
    if refused is Problem.BUSY:
        return errors.busy()
    if refused is Problem.SIGNED_OUT:
        return sign_in_first()
    return _form_again(signed_in, choices, form, PROBLEMS[refused], "current")


def _form_again(
    signed_in: SignedIn, choices: Mapping[str, str], form: dict[str, str], problem: str, field: str
) -> Response:
    """Show the form as it was sent, but for the password."""
    if errors.prefers_json():
        return errors.answer(400, text=problem)
    return _form(signed_in, choices, form, problem, field)


def _form(
    signed_in: SignedIn, choices: Mapping[str, str], form: Mapping[str, str], problem: str = "", field: str = ""
) -> Response:
    page = render_template(
        "app_password_new.html",
        username=signed_in.account.username,
        takers=choices,
        apps=_chosen(form),
        name=form.get("name", ""),
        ends=form.get("ends", _LIFE),
        lives=_LIVES,
        problem=problem,
        problem_field=field,
    )
    return make_response(page, 400 if problem else 200)
