"""The account's own pages: who am I, and a new password."""

from flask import Blueprint, Response, make_response, render_template, request

from service.login.attempts import Throttled
from service.login.new_password import Browser, Problem, Typed, change
from service.login.password_policy import MINIMUM_CHARACTERS, Weakness
from service.login.passwords import MAXIMUM_CHARACTERS
from service.login.sessions import SignedIn
from service.web import context, errors
from service.web.cookies import browser_session, device_cookie, notices
from service.web.guard import forms
from service.web.messages import FIELD, PROBLEMS
from service.web.redirects import see_other
from service.web.telemetry import reporting as telemetry

pages = Blueprint("account", __name__, url_prefix="/account")


@pages.route("", methods=["GET"])
def home() -> Response:
    """Show who is signed in; a browser that is not is sent to sign in and back."""
    signed_in = browser_session.current()
    if signed_in is None:
        return _sign_in_first()
    page = render_template(
        "account.html",
        account=signed_in.account,
        session=signed_in.session,
        notice=notices.waiting(),
        now=context.now(),
    )
    response = make_response(page)
    notices.said(response)
    return response


@pages.route("/password", methods=["GET", "POST"])
def password() -> Response:
    """Show the form, or change the password: it needs the current one and ends every other session."""
    signed_in = browser_session.current()
    if signed_in is None:
        return _sign_in_first()
    return _change(signed_in, forms.read()) if request.method == "POST" else _form(signed_in)


def _change(signed_in: SignedIn, form: dict[str, str]) -> Response:
    account, services = signed_in.account, context.services()
    outcome = change(
        Browser(signed_in, context.client()),
        current=form.get("current", ""),
        typed=Typed(form.get("password", ""), form.get("repeat", "")),
        stores=services,
        verifier=services.verifier,
        key=services.keys[0],
        service_name=services.brand.name,
        now=context.now(),
    )
    if isinstance(outcome, Throttled):
        telemetry.event("authn_password_change_fail", account=account.username, reason="throttled")
        return errors.throttled(outcome)
    if isinstance(outcome, Problem | Weakness):
        telemetry.event("authn_password_change_fail", account=account.username, reason=outcome.value)
        return _refused(signed_in, outcome)
    telemetry.event("authn_password_change", account=account.username, session=outcome.session.id)
    response = see_other("/account")
    browser_session.issue(response, outcome)
    device_cookie.issue(response, outcome.account)
    notices.leave(response, "password-changed")
    return response


def _refused(signed_in: SignedIn, problem: Problem | Weakness) -> Response:
    if problem is Problem.BUSY:
        return errors.busy()
    if problem is Problem.SIGNED_OUT:
        return _sign_in_first()
    if errors.prefers_json():
        return errors.answer(400, message=PROBLEMS[problem])
    return _form(signed_in, problem, status=400)


def _form(signed_in: SignedIn, problem: Problem | Weakness | None = None, *, status: int = 200) -> Response:
    page = render_template(
        "password.html",
        problem=PROBLEMS[problem] if problem else None,
        problem_field=FIELD.get(problem, "password") if problem else None,
        minimum=MINIMUM_CHARACTERS,
        maximum=MAXIMUM_CHARACTERS,
        username=signed_in.account.username,
    )
    return make_response(page, status)


def _sign_in_first() -> Response:
    """Send to the sign-in page and back here; a client that reads JSON is told 401 instead."""
    if errors.prefers_json():
        return errors.answer(401)
    response = see_other(f"/?rd={request.path}")
    browser_session.clear_if_dead(response)
    return response
