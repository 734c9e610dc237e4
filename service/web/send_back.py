"""A browser that is signed in and asks for the sign-in page: where it is sent, and when it is not.

An app's door sends a browser here in two cases: it found no session, or one that is not fresh enough for a rule.
"""

from collections.abc import Callable

from flask import Response, request

from service.access.app_access import app_of, asks_again
from service.access.apps import App
from service.login.sessions import SignedIn
from service.web import context, errors
from service.web.cookies import bounces, trouble
from service.web.redirects import see_other, validated
from service.web.telemetry import reporting as telemetry

HOME = "/account"


def send_back(signed_in: SignedIn, ask_again: Callable[[dict[str, str]], Response]) -> Response:
    """Redirect to where the browser came from, else to the account.

    Where an app asks for the password again, answer with `ask_again`, which is handed the fields of the form.
    """
    where = validated(request.args.get("rd"))
    app = app_of(where, context.services().apps())
    if app is None or where is None:
        return see_other(where or HOME)
    fresh, address = request.args.get("fresh", type=int), context.client().address
    if asks_again(app, where, signed_in, fresh=fresh, address=address, now=context.now()):
        remember = {"remember": "on"} if signed_in.session.remembered else {}
        return ask_again({"rd": where, "username": signed_in.account.username} | remember)
    if bounces.too_many(where):
        return _lost(app)
    response = see_other(where)
    bounces.add(response, where)
    return response


def _lost(app: App) -> Response:
    services = context.services()
    message = trouble.lost(app, services.public, services.cookie_domain)
    telemetry.warning("session_lost", app=app.name, because=message.text)
    return errors.answer(403, message=message)
