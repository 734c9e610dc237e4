"""The text of every answer to a user: for each status of the closed list, and for each reason that a rule gives.

nginx shows the same text on the error pages that it answers itself.
"""

from typing import Any, Final, NamedTuple

from service.login.accounts import LONGEST_USERNAME, USERNAME_CHARACTERS
from service.login.new_password import Problem
from service.login.password_policy import MINIMUM_CHARACTERS, WEAKNESS_MESSAGES, Weakness
from service.login.passwords import MAXIMUM_CHARACTERS


class Message(NamedTuple):
    """Why a request was not answered as asked: a name for programs, a heading, and what the user can do."""

    name: str
    title: str
    text: str


MESSAGES: Final = {
    400: Message("bad_request", "That request could not be read", "Going back and trying again usually helps."),
    401: Message("unauthorized", "You are not signed in", "Sign in to see this page."),
    403: Message(
        "forbidden",
        "That request was refused",
        "It seems to come from another site. Please send it again from this site's own page.",
    ),
    404: Message("not_found", "There is nothing here", "The address may be mistyped, or the page has moved."),
    405: Message("method_not_allowed", "That does not work here", "This page does not answer that kind of request."),
    408: Message("request_timeout", "That took too long", "The request did not arrive in time. Please try again."),
    413: Message("content_too_large", "That is too large", "The request is larger than anything this service needs."),
    414: Message("uri_too_long", "That address is too long", "The address is longer than anything this service needs."),
    415: Message("unsupported_media_type", "That cannot be read", "Only forms are understood here."),
    421: Message(
        "misdirected_request",
        "Wrong address",
        "This service does not answer to that name. The address may be mistyped.",
    ),
    429: Message("too_many_requests", "Too many tries", "There were many attempts from where you are."),
    431: Message(
        "headers_too_large",
        "Your browser sends too much",
        "Most often it is cookies: all that this site and other apps of the same domain keep in your browser come with "
        "every request, and together they are longer than 8,000 bytes. In your browser's settings, delete the cookies "
        "of this site and of its domain. You will have to sign in again there.",
    ),
    502: Message("bad_gateway", "The service does not answer", "It may be starting again."),
    503: Message("unavailable", "Not available right now", "The service cannot answer at the moment."),
}

ASKS_AGAIN: Final = "You are signed in. This page asks for your password again before it opens."
WRONG_SIGN_IN: Final = "That username and password do not match."
BUSY: Final = Message("busy", "Not available right now", "Many people are signing in right now.")
BLOCKED: Final = Message(
    "blocked",
    "Not from here",
    "The operator of this service has blocked the network that you are in. If that is a mistake, send them the "
    "reference below.",
)
TOO_MANY_ATTEMPTS: Final = Message(
    "too_many_tries",
    "Too many tries",
    "There were many attempts at this name, or from where you are. If someone else is trying your name, a browser in "
    "which you signed in before still lets you in.",
)
LINK_SPENT: Final = Message(
    "link_spent",
    "This link no longer works",
    "This link was used already, or has expired. If you have just chosen a password with it, sign in; otherwise ask "
    "for a new one.",
)
LINK_INCOMPLETE: Final = Message(
    "link_incomplete",
    "This link is not complete",
    "A part of it is missing, or something was added: mail programs sometimes break long links. Copy the whole link "
    "from the message into the address bar. It has not been used up.",
)

# Of the door, by outcome. {app} is the app's title.
DOOR_MESSAGES: Final = {
    "sign-in": Message("unauthorized", "You are not signed in", "Sign in to go on to {app}."),
    "not-fresh": Message("unauthorized", "Your password again", "{app} asks for your password again before this."),
    "not-admitted": Message(
        "forbidden",
        "You may not open this",
        "This account may not open this part of {app}. An administrator can change that.",
    ),
    "no-rule": Message("forbidden", "You may not open this", "No rule of {app} allows this request."),
    "no-app": Message(
        "forbidden", "There is no app here", "The address may be mistyped, or the app is not set up yet."
    ),
    "app-password-wrong": Message(
        "unauthorized", "That app password does not work", "It may be mistyped, ended, or not for {app}."
    ),
    "app-password-throttled": Message(
        "unauthorized", "Too many tries", "There were many wrong app passwords from where you are."
    ),
}
NOT_FOR_PROGRAMS: Final = Message(
    "forbidden", "Not with an app password", "No app password opens this part of {app}: sign in with a browser."
)
NOTHING_SENT: Final = "What you filled in has not reached {app}. This tab still has it."

# Problems that the form shows; BUSY, LINK_SPENT and SIGNED_OUT have answers of their own.
PROBLEMS: Final[dict[Problem | Weakness, str]] = {
    **{weakness: WEAKNESS_MESSAGES[weakness] for weakness in Weakness},
    Problem.WRONG_CURRENT: "Your current password is not right.",
    Problem.UNLIKE: "The two new passwords are not the same.",
    Problem.USERNAME_INVALID: f"Start with a letter or digit. Use only {USERNAME_CHARACTERS}, at most "
    f"{LONGEST_USERNAME} characters.",
    Problem.USERNAME_TAKEN: "Another account already has that username.",
}
_FIELDS: Final[dict[Problem | Weakness, str]] = {
    Problem.WRONG_CURRENT: "current",
    Problem.UNLIKE: "repeat",
    Problem.USERNAME_INVALID: "username",
    Problem.USERNAME_TAKEN: "username",
}


def new_password_form(problem: Problem | Weakness | None) -> dict[str, Any]:
    """Return what the template of a form with a new password shows: the problem, its field, and the lengths allowed."""
    return {
        "problem": PROBLEMS[problem] if problem else None,
        "problem_field": _FIELDS.get(problem, "password") if problem else None,
        "minimum": MINIMUM_CHARACTERS,
        "maximum": MAXIMUM_CHARACTERS,
    }


NOTICES: Final = {
    "signed-out": "You are signed out.",
    "signed-out-before": "You were signed out before the form arrived: it changed nothing. Please sign in again.",
    "password-set": "Your password is set. Sign in with it.",
    "app-password-ended": "The app password has ended. No program can use it any more.",
    "password-changed": "Your password is changed. Every other browser was signed out.",
}
