"""One-time links: the first administrator, invitations and resets choose a password at `/setup?token=…`."""

from typing import Final

from flask import Blueprint, Response, make_response, render_template, request

from service.login.audit import Happened
from service.login.links import Link, Purpose, is_usable
from service.login.new_password import Problem, Typed, choose
from service.login.password_policy import Weakness
from service.login.sessions import hash_of_claimed
from service.web import context, errors
from service.web.cookies import browser_session, device_cookie, notices
from service.web.guard import forms
from service.web.messages import LINK_INCOMPLETE, LINK_SPENT, PROBLEMS, new_password_form
from service.web.redirects import see_other
from service.web.telemetry import reporting as telemetry

pages = Blueprint("set_up", __name__)
_END_OF_SENTENCE: Final = " .,;:!?'\")>]}*"  # mail programs take it for a part of the link


@pages.route("/setup", methods=["GET", "POST"])
def set_up() -> Response:
    """Show the form of a usable link (GET), or choose the password, which uses the link up (POST)."""
    form = forms.read() if request.method == "POST" else {"token": request.args.get("token", "")}
    token = form.get("token", "").rstrip(_END_OF_SENTENCE)
    token_hash = hash_of_claimed(token)
    if token_hash is None:
        return errors.answer(404, message=LINK_INCOMPLETE)
    link = context.services().links.find(token_hash)
    if link is None or not is_usable(link, now=context.now()):
        return errors.answer(404, message=LINK_SPENT)
    return _choose(link, token, form) if request.method == "POST" else _form(link, token)


def _choose(link: Link, token: str, form: dict[str, str]) -> Response:
    services = context.services()
    outcome = choose(
        link,
        username=form.get("username", ""),
        typed=Typed(form.get("password", ""), form.get("repeat", "")),
        client=context.client(),
        stores=services,
        verifier=services.verifier,
        now=context.now(),
    )
    if outcome is Problem.BUSY:
        return errors.busy()
    if outcome is Problem.LINK_SPENT:
        return errors.answer(404, message=LINK_SPENT)
    if isinstance(outcome, Problem | Weakness):
        return _refused(link, token, outcome, username=form.get("username", ""))
    event = Happened.ACCOUNT_ADDED if link.purpose is Purpose.SET_UP else Happened.PASSWORD_CHANGED
    telemetry.event(event, account=outcome.username, by=link.purpose.value)
    response = see_other("/")
    browser_session.end(response, reason="replaced")
    # An attack on the name must not throttle its owner at the sign-in that follows.
    device_cookie.issue(response, outcome)
    notices.leave(response, "password-set")
    return response


def _refused(link: Link, token: str, problem: Problem | Weakness, *, username: str) -> Response:
    if errors.prefers_json():
        return errors.answer(400, text=PROBLEMS[problem])
    return _form(link, token, problem=problem, username=username, status=400)


def _form(
    link: Link, token: str, *, problem: Problem | Weakness | None = None, username: str = "", status: int = 200
) -> Response:
    owner = context.services().accounts.by_id(link.account_id) if link.account_id else None
    page = render_template(
        "set_up.html",
        purpose=link.purpose.value,
        username=owner.username if owner else username,
        token=token,
        **new_password_form(problem),
    )
    return make_response(page, status)
