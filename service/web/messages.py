"""What people are told: one sentence for each status that exists, and for each reason a rule gives.

The statuses are the closed list of answers; the same sentences stand on the pages that nginx answers itself.
"""

from typing import Final, NamedTuple

from service.login.accounts import LONGEST_USERNAME, USERNAME_CHARACTERS
from service.login.new_password import Problem
from service.login.password_policy import WEAKNESS_MESSAGES, Weakness


class Said(NamedTuple):
    """A status in words: for a program, as a heading, and what to do."""

    name: str
    title: str
    message: str


ANSWERS: Final = {
    400: Said("bad_request", "That request could not be read", "Going back and trying again usually helps."),
    401: Said("unauthorized", "You are not signed in", "Sign in to see this page."),
    403: Said(
        "forbidden",
        "That request was refused",
        "It seems to come from another site. Please send it again from this site's own page.",
    ),
    404: Said("not_found", "There is nothing here", "The address may be mistyped, or the page has moved."),
    405: Said("method_not_allowed", "That does not work here", "This page does not answer that kind of request."),
    408: Said("request_timeout", "That took too long", "The request did not arrive in time. Please try again."),
    413: Said("content_too_large", "That is too large", "The request is larger than anything this service needs."),
    414: Said("uri_too_long", "That address is too long", "The address is longer than anything this service needs."),
    415: Said("unsupported_media_type", "That cannot be read", "Only forms are understood here."),
    421: Said(
        "misdirected_request",
        "Wrong address",
        "This service does not answer to that name. The address may be mistyped.",
    ),
    429: Said("too_many_requests", "Too many tries", "There were many attempts from where you are."),
    431: Said(
        "headers_too_large",
        "Your browser sends too much",
        "Most often it is cookies: all that this site and other apps of the same domain keep in your browser come with "
        "every request, and together they are longer than 8,000 bytes. In your browser's settings, delete the cookies "
        "of this site and of its domain. You will have to sign in again there.",
    ),
    502: Said("bad_gateway", "The service does not answer", "It may be starting again."),
    503: Said("unavailable", "Not available right now", "The service cannot answer at the moment."),
}

WRONG: Final = "That username and password do not match."
_BUSY: Final = "Many people are signing in right now. Please try again in a moment."
BUSY: Final = Said("busy", "Not available right now", "Many people are signing in right now.")
BLOCKED: Final = Said(
    "blocked",
    "Not from here",
    "Whoever runs this service has shut out the network that you are in. If that is a mistake, send them the reference "
    "below.",
)
TOO_MANY_TRIES: Final = Said(
    "too_many_tries",
    "Too many tries",
    "There were many attempts at this name, or from where you are. If somebody else is trying your name, a browser in "
    "which you signed in before still lets you in.",
)

PROBLEMS: Final[dict[Problem | Weakness, str]] = {
    **{weakness: WEAKNESS_MESSAGES[weakness] for weakness in Weakness},
    Problem.WRONG_CURRENT: "Your current password is not right.",
    Problem.UNLIKE: "The two new passwords are not the same.",
    Problem.USERNAME_INVALID: f"Start with a letter or digit. Use only {USERNAME_CHARACTERS}, at most "
    f"{LONGEST_USERNAME} characters.",
    Problem.USERNAME_TAKEN: "Somebody already has that username.",
    Problem.LINK_SPENT: "This link was used already, or has expired. If you have just chosen a password with it, "
    "sign in; otherwise ask for a new one.",
    Problem.SIGNED_OUT: "You were signed out before the password could be changed.",
    Problem.BUSY: _BUSY,
}

# Which field of a form a problem is about; a weakness is always about the new password.
FIELD: Final[dict[Problem | Weakness, str]] = {
    Problem.WRONG_CURRENT: "current",
    Problem.UNLIKE: "repeat",
    Problem.USERNAME_INVALID: "username",
    Problem.USERNAME_TAKEN: "username",
}

SPENT: Final = Said("link_spent", "This link no longer works", PROBLEMS[Problem.LINK_SPENT])

INCOMPLETE: Final = Said(
    "link_incomplete",
    "This link is not complete",
    "A part of it is missing, or something was added: mail programs sometimes break long links. Copy the whole link "
    "from the message into the address bar. It has not been used up.",
)

NOTICES: Final = {
    "signed-out": "You are signed out.",
    "password-set": "Your password is set. Sign in with it.",
    "password-changed": "Your password is changed. Every other browser was signed out.",
}
