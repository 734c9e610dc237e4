"""The sign-in page at `/`, and signing out."""

from flask import Blueprint, Response, make_response, render_template, request

from service.access.return_to import origin_of
from service.login.accounts import Account
from service.login.sign_in import Reason, Refused, open_session, with_password
from service.web import context, errors
from service.web.cookies import browser_session, device_cookie, notices
from service.web.errors import Refusal
from service.web.guard import forms, protection
from service.web.look import rendering
from service.web.messages import WRONG
from service.web.redirects import see_other, validated
from service.web.telemetry import reporting as telemetry

HOME = "/account"
pages = Blueprint("sign_in", __name__)


@pages.route("/", methods=["GET", "POST"])
def login() -> Response:
    """Show the form, or authenticate: 303 in, 401 wrong, 429 too often, 503 the gate is full."""
    if request.method == "POST":
        return _authenticate(forms.read())
    where = validated(request.args.get("rd"))
    if browser_session.current():
        return see_other(where or HOME)
    response = make_response(_page(rd=where, notice=notices.waiting()))
    notices.said(response)
    browser_session.clear_if_dead(response)
    return response


def _authenticate(form: dict[str, str]) -> Response:
    username, where = form.get("username", ""), validated(form.get("rd"))
    services = context.services()
    outcome = with_password(
        username=username,
        password=form.get("password", ""),
        client=context.client(),
        stores=services,
        verifier=services.verifier,
        keys=services.keys,
        now=context.now(),
    )
    if isinstance(outcome, Refused):
        return _refused(outcome)
    return _signed_in(outcome, where, remembered=form.get("remember") == "on")


def _signed_in(account: Account, where: str | None, *, remembered: bool) -> Response:
    services = context.services()
    opened = open_session(
        account,
        client=context.client(),
        remembered=remembered,
        replaces=browser_session.presented(),
        stores=services,
        lifetimes=services.lifetimes,
        now=context.now(),
    )
    if isinstance(opened, Refused):
        return _refused(opened)
    telemetry.count_sign_in("password", "granted")
    telemetry.event("authn_login_success", account=account.username, session=opened.session.id)
    response = see_other(where or HOME)
    browser_session.issue(response, opened)
    device_cookie.issue(response, opened.account)
    return response


def _refused(refused: Refused) -> Response:
    """Answer alike whoever it was; only the log and the metrics know the reason."""
    telemetry.count_sign_in("password", refused.reason.value)
    if refused.reason is Reason.BUSY:
        return errors.busy()  # nothing was tried: the request's own line says all, and a flood writes half as much
    flaw = {"hash_flaw": refused.flaw} if refused.flaw else {}
    telemetry.event("authn_login_fail", account=refused.username, reason=refused.reason.value, **flaw)
    for scope in refused.exhausted:
        telemetry.event("authn_login_fail_max", account=refused.username, scope=scope.value)
    if refused.throttled is not None:
        return errors.throttled(refused.throttled)
    if errors.prefers_json():
        return errors.answer(401, message=WRONG)
    return make_response(_sent_page(problem=WRONG), 401)


def form_again(refusal: Refusal) -> str:
    """Return the form as it was sent, without the password, with the reason why it was refused."""
    return _sent_page(refusal=refusal)


def _sent_page(*, problem: str | None = None, refusal: Refusal | None = None) -> str:
    form = forms.read()
    return _page(
        username=form.get("username", ""),
        remember=form.get("remember") == "on",
        rd=validated(form.get("rd")),
        problem=problem,
        refusal=refusal,
    )


def _page(
    *,
    username: str = "",
    remember: bool = False,
    rd: str | None = None,
    problem: str | None = None,
    notice: str | None = None,
    refusal: Refusal | None = None,
) -> str:
    origin = origin_of(rd) if rd else None
    protection.allow_form_to(origin)
    return rendering.page(
        "sign_in.html",
        filled={
            "username": username,
            "rd": rd or "",
            "destination": origin.partition("://")[2] if origin else "",
            "again_at": refusal.again_at if refusal else "",
            "request_id": telemetry.request_id() if refusal else "",
        },
        remember=remember,
        problem=problem,
        notice=notice,
        refused=(refusal.status, refusal.said) if refusal else None,
    )


@pages.route("/logout", methods=["GET", "POST"])
def logout() -> Response:
    """Ask (GET), then end this browser's session (POST); the row is gone before the answer leaves."""
    if request.method == "POST":
        response = see_other("/")
        browser_session.end(response, reason="signed-out")
        notices.leave(response, "signed-out")
        return response
    signed_in = browser_session.current()
    if signed_in is None:
        return see_other("/")
    return make_response(render_template("sign_out.html", account=signed_in.account))
