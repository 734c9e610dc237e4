"""The sign-in page at `/`, and signing out."""

from flask import Blueprint, Response, make_response, render_template, request

from service.access.return_to import origin_of
from service.login.accounts import Account
from service.login.audit import Happened
from service.login.sign_in import Device, Reason, Refused, open_session, with_password
from service.web import context, errors
from service.web.cookies import browser_session, device_cookie, notices, probe_cookie
from service.web.errors import ErrorContent
from service.web.guard import forms, protection
from service.web.look import rendering
from service.web.messages import ASKS_AGAIN, WRONG_SIGN_IN, Message
from service.web.redirects import see_other, validated
from service.web.send_back import HOME, send_back
from service.web.telemetry import reporting as telemetry

pages = Blueprint("sign_in", __name__)


@pages.route("/", methods=["GET", "POST"])
def login() -> Response:
    """Show the form (GET), or authenticate (POST): 303 signed in, 401 wrong, 429 throttled, 503 the gate is full."""
    if request.method == "POST":
        return _authenticate(forms.read())
    notice = notices.take()
    signed_in = browser_session.current()
    if signed_in:
        return send_back(signed_in, lambda form: make_response(form_page(notice=ASKS_AGAIN, form=form)))
    response = make_response(form_page(notice=notice))
    browser_session.clear_if_dead(response)
    probe_cookie.offer(response)
    return response


def _authenticate(form: dict[str, str]) -> Response:
    if message := probe_cookie.refused():
        return _cookie_refused(message)
    username, where = form.get("username", ""), validated(form.get("rd"))
    services = context.services()
    attempted = with_password(
        username=username,
        password=form.get("password", ""),
        client=context.client(),
        stores=services,
        verifier=services.verifier,
        now=context.now(),
    )
    outcome, device = attempted.outcome, attempted.device
    if isinstance(outcome, Refused):
        return _refuse(outcome, device)
    return _start_session(outcome, device, where, remembered=form.get("remember") == "on")


def _cookie_refused(message: Message) -> Response:
    """Answer before the password is checked: no attempt is counted. The form sets the probe cookie anew."""
    if errors.prefers_json():
        return errors.answer(400, message=message)
    response = make_response(form_page(ErrorContent(400, message)), 400)
    probe_cookie.offer(response)
    return response


def _start_session(account: Account, device: Device, where: str | None, *, remembered: bool) -> Response:
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
        return _refuse(opened, device)
    telemetry.count_sign_in("password", "granted", device)
    telemetry.event(Happened.SIGNED_IN, account=account.username, session=opened.session.id)
    response = see_other(where or HOME)
    browser_session.issue(response, opened)
    device_cookie.issue(response, opened.account)
    return response


def _refuse(refused: Refused, device: Device) -> Response:
    """Answer the same for every account and every wrong password; only log and metrics tell the reason."""
    telemetry.count_sign_in("password", refused.reason.value, device)
    if refused.reason is Reason.BUSY:
        return errors.busy()  # no event: the request's line is enough, and a flood writes half as much
    flaw = {"hash_flaw": refused.flaw} if refused.flaw else {}
    telemetry.event(Happened.SIGN_IN_REFUSED, account=refused.username, reason=refused.reason.value, **flaw)
    for scope in refused.exhausted:
        telemetry.event(Happened.LIMIT_EXHAUSTED, account=refused.username, scope=scope.value)
    if refused.throttled is not None:
        return errors.throttled(refused.throttled)
    if errors.prefers_json():
        return errors.answer(401, text=WRONG_SIGN_IN)
    return make_response(form_page(problem=WRONG_SIGN_IN), 401)


def form_page(
    error: ErrorContent | None = None,
    *,
    problem: str | None = None,
    notice: str | None = None,
    form: dict[str, str] | None = None,
) -> str:
    """Return the form: filled in with `form`, else as it was sent, without the password."""
    if form is None:
        form = forms.read() if request.method == "POST" else {"rd": request.args.get("rd", "")}
    rd = validated(form.get("rd"))
    origin = origin_of(rd) if rd else None
    protection.allow_form_to(origin)
    return rendering.page(
        "sign_in.html",
        filled={
            "username": form.get("username", ""),
            "rd": rd or "",
            "destination": origin.partition("://")[2] if origin else "",
            "again_at": error.again_at if error else "",
            "request_id": telemetry.request_id() if error else "",
        },
        remember=form.get("remember") == "on",
        problem=problem,
        notice=notice,
        refused=(error.status, error.message) if error else None,
    )


@pages.route("/logout", methods=["GET", "POST"])
def logout() -> Response:
    """Ask (GET), or end this browser's session (POST)."""
    if request.method == "POST":
        response = see_other("/")
        browser_session.end(response, reason="signed_out")
        notices.leave(response, "signed-out")
        return response
    signed_in = browser_session.current()
    if signed_in is None:
        return see_other("/")
    return make_response(render_template("sign_out.html", account=signed_in.account))
