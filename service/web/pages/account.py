"""The pages of an account: what it is, and a new password."""

from flask import Blueprint, Response, make_response, render_template, request

from service.access.app_access import entrances
from service.access.app_passwords import takers
from service.login.attempts import Throttled
from service.login.audit import Happened
from service.login.new_password import Browser, Problem, Typed, change
from service.login.password_policy import Weakness
from service.login.sessions import SignedIn
from service.web import context, errors
from service.web.cookies import browser_session, device_cookie, notices
from service.web.guard import forms
from service.web.guard.needs_session import needs_session, sign_in_first
from service.web.messages import PROBLEMS, new_password_form
from service.web.redirects import see_other
from service.web.telemetry import reporting as telemetry

pages = Blueprint("account", __name__, url_prefix="/account")


@pages.route("", methods=["GET"])
@needs_session
def home(signed_in: SignedIn) -> Response:
    """Show the apps that the account may open, the account, and this session."""
    account, services, now = signed_in.account, context.services(), context.now()
    apps = services.apps().apps
    page = render_template(
        "account.html",
        account=account,
        session=signed_in.session,
        apps=entrances(apps, account, address=context.client().address, now=now),
        app_passwords=bool(takers(apps, account) or services.app_passwords.of_account(account.id)),
        notice=notices.take(),
        now=now,
    )
    return make_response(page)


@pages.route("/password", methods=["GET", "POST"])
@needs_session
def password(signed_in: SignedIn) -> Response:
    """Show the form, or change the password, which needs the current one and ends every other session."""
    return _change(signed_in, forms.read()) if request.method == "POST" else _form(signed_in)


def _change(signed_in: SignedIn, form: dict[str, str]) -> Response:
    account, services = signed_in.account, context.services()
    outcome = change(
        Browser(signed_in, context.client()),
        current=form.get("current", ""),
        typed=Typed(form.get("password", ""), form.get("repeat", "")),
        stores=services,
        verifier=services.verifier,
        now=context.now(),
    )
    if isinstance(outcome, Throttled):
        telemetry.event(Happened.PASSWORD_CHANGE_REFUSED, account=account.username, reason="throttled")
        return errors.throttled(outcome)
    if isinstance(outcome, Problem | Weakness):
        telemetry.event(Happened.PASSWORD_CHANGE_REFUSED, account=account.username, reason=outcome.value)
        return _refused(signed_in, outcome)
    telemetry.event(Happened.PASSWORD_CHANGED, account=account.username, session=outcome.session.id)
    response = see_other("/account")
    browser_session.issue(response, outcome)
    device_cookie.issue(response, outcome.account)
    notices.leave(response, "password-changed")
    return response


def _refused(signed_in: SignedIn, problem: Problem | Weakness) -> Response:
    if problem is Problem.BUSY:
        return errors.busy()
    if problem is Problem.SIGNED_OUT:
        return sign_in_first()
    if errors.prefers_json():
        return errors.answer(400, text=PROBLEMS[problem])
    return _form(signed_in, problem, status=400)


def _form(signed_in: SignedIn, problem: Problem | Weakness | None = None, *, status: int = 200) -> Response:
    account = signed_in.account
    has_app_passwords = bool(context.services().app_passwords.of_account(account.id))
    page = render_template(
        "password.html", username=account.username, app_passwords=has_app_passwords, **new_password_form(problem)
    )
    return make_response(page, status)
