"""One-time links: the first administrator, invitations and resets choose a password at `/setup?token=…`."""

from flask import Blueprint, Response, make_response, render_template, request

from service.login.links import Link, Purpose, is_usable
from service.login.new_password import Problem, Typed, choose
from service.login.password_policy import MINIMUM_CHARACTERS, Weakness
from service.login.passwords import MAXIMUM_CHARACTERS
from service.login.sessions import hash_of_claimed
from service.web import context, errors
from service.web.cookies import browser_session, device_cookie, notices
from service.web.guard import forms
from service.web.messages import FIELD, INCOMPLETE, PROBLEMS, SPENT
from service.web.redirects import see_other
from service.web.telemetry import reporting as telemetry

pages = Blueprint("set_up", __name__)


@pages.route("/setup", methods=["GET", "POST"])
def set_up() -> Response:
    """Show the form of a usable link, which uses nothing up, or choose the password, which does."""
    form = forms.read() if request.method == "POST" else {}
    token = _token(form.get("token", "") if request.method == "POST" else request.args.get("token", ""))
    if hash_of_claimed(token) is None:
        return errors.answer(404, said=INCOMPLETE)
    link = _usable(token)
    if link is None:
        return errors.answer(404, said=SPENT)
    return _choose(link, token, form) if request.method == "POST" else _form(link, token)


def _token(text: str) -> str:
    """Return a token without the end of the sentence that a mail program took for a part of the link."""
    return text.rstrip(" .,;:!?'\")>]}*")


def _usable(token: str) -> Link | None:
    token_hash = hash_of_claimed(token)
    link = context.services().links.find(token_hash) if token_hash else None
    return link if link and is_usable(link, now=context.now()) else None


def _choose(link: Link, token: str, form: dict[str, str]) -> Response:
    services = context.services()
    outcome = choose(
        link,
        username=form.get("username", ""),
        typed=Typed(form.get("password", ""), form.get("repeat", "")),
        client=context.client(),
        stores=services,
        verifier=services.verifier,
        service_name=services.brand.name,
        now=context.now(),
    )
    if outcome is Problem.BUSY:
        return errors.busy()
    if outcome is Problem.LINK_SPENT:
        return errors.answer(404, said=SPENT)
    if isinstance(outcome, Problem | Weakness):
        return _refused(link, token, outcome, username=form.get("username", ""))
    made = link.purpose is Purpose.SET_UP
    telemetry.event(
        "user_created" if made else "authn_password_change", account=outcome.username, by=link.purpose.value
    )
    response = see_other("/")
    browser_session.end(response, reason="replaced")
    # An attack on the name must not keep its owner out at the next step.
    device_cookie.issue(response, outcome)
    notices.leave(response, "password-set")
    return response


def _refused(link: Link, token: str, problem: Problem | Weakness, *, username: str) -> Response:
    if errors.prefers_json():
        return errors.answer(400, message=PROBLEMS[problem])
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
        problem=PROBLEMS[problem] if problem else None,
        problem_field=FIELD.get(problem, "password") if problem else None,
        minimum=MINIMUM_CHARACTERS,
        maximum=MAXIMUM_CHARACTERS,
    )
    return make_response(page, status)
