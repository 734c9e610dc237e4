"""Every state of every page that a person can meet, and the way there: for looking at all of them."""

from collections.abc import Callable
from typing import Final

from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.servers import Servers
from tests.stories.people import link
from tests.stories.visitor import Visitor

POSTS_PER_MINUTE: Final = 4
MORE_THAN_ALLOWED: Final = 40
Way = Callable[[Visitor, Servers], object]


def _signed_in(visitor: Visitor, _: Servers) -> Visitor:
    return visitor.open("/").sign_in("anna", PASSWORD)


def _refused(visitor: Visitor, _: Servers) -> None:
    visitor.open("/").sign_in("anna", OTHER_PASSWORD, stay=True)


def _signed_out(visitor: Visitor, servers: Servers) -> None:
    _signed_in(visitor, servers).press("Sign out")


def _refused_password(visitor: Visitor, servers: Servers) -> None:
    _signed_in(visitor, servers).follow("Change password")
    visitor.fill(Current_password=PASSWORD, New_password=OTHER_PASSWORD, New_password_again=PASSWORD)
    visitor.press("Change password")


def _app_passwords(visitor: Visitor, servers: Servers) -> None:
    """Two that an operator has made, one with an end."""
    for name, options in (("phone", ["--for", "90d"]), ("backup of the calendar", [])):
        command = ("app-password", "add", "anna", "--app", "calendar", "--name", name, *options)
        servers.vestibule(*command)  # refused when it is there from the look before
    _signed_in(visitor, servers).follow("App passwords")


def _new_app_password(visitor: Visitor, servers: Servers) -> Visitor:
    """Open the form. A worker may not have looked at the apps in force since the house was filled."""
    servers.wait_until(lambda: "Apps" in _to_the_form(visitor).text, "an app takes app passwords")
    return visitor


def _to_the_form(visitor: Visitor) -> Visitor:
    if not visitor.open("/account/app-passwords/new").path.startswith("/account/"):
        visitor.sign_in("anna", PASSWORD)
    return visitor


def _refused_app_password(visitor: Visitor, servers: Servers) -> None:
    _new_app_password(visitor, servers).fill(What_it_is_for="phone", Current_password=PASSWORD)
    visitor.press("Make app password")


def _made_app_password(visitor: Visitor, servers: Servers) -> None:
    _new_app_password(visitor, servers).fill(What_it_is_for="tablet", Current_password=PASSWORD)
    visitor.page.get_by_label("Files").check()
    visitor.press("Make app password")


def _invited(visitor: Visitor, servers: Servers) -> None:
    visitor.open(link(servers, "account", "invite", "erik"))


def _reset(visitor: Visitor, servers: Servers) -> None:
    visitor.open(link(servers, "account", "reset-link", "erik"))
    visitor.fill(New_password="erik erik erik erik", New_password_again="erik erik erik erik").press("Save password")


def _throttled(visitor: Visitor, _: Servers) -> None:
    """Mistype until the username is throttled for minutes: for a second, while attempts may still be under way."""
    tried = 0
    while " minutes" not in visitor.open("/").sign_in("zoe", OTHER_PASSWORD).text:
        tried += 1
        assert tried <= MORE_THAN_ALLOWED


# In a house with people in it.
INHABITED: Final[dict[str, Way]] = {
    "sign in": lambda visitor, _: visitor.open("/"),
    "sign in, refused": _refused,
    "sign in, throttled": _throttled,
    "sign in, signed out": _signed_out,
    "account": _signed_in,
    "sign out": lambda visitor, servers: _signed_in(visitor, servers).open("/logout"),
    "change password": lambda visitor, servers: _signed_in(visitor, servers).follow("Change password"),
    "change password, refused": _refused_password,
    "app passwords": _app_passwords,
    "new app password": _new_app_password,
    "new app password, refused": _refused_app_password,
    "new app password, made": _made_app_password,
    "invitation": _invited,
    "reset, refused": _reset,
    "a link that was cut": lambda visitor, _: visitor.open(f"/setup?token={'A' * 30}"),
    "a spent link": lambda visitor, _: visitor.open(f"/setup?token={'A' * 43}"),
    "nothing here, says nginx": lambda visitor, _: visitor.open("/metrics"),
    "another name": lambda visitor, servers: visitor.open(f"http://127.0.0.1:{servers.port}/"),
}


def _first(visitor: Visitor, servers: Servers) -> None:
    visitor.open(link(servers, "setup", "link"))


def _first_refused(visitor: Visitor, servers: Servers) -> None:
    _first(visitor, servers)
    visitor.fill(Username="not a name", New_password=PASSWORD, New_password_again=PASSWORD).press("Create account")


def too_often(visitor: Visitor, _: Servers) -> Visitor:
    """Send the form until it is too often. A minute that ends on the way starts the count again."""
    sent = 0
    while visitor.open("/").sign_in("nobody", PASSWORD, stay=True).problem != "Too many tries":
        sent += 1
        assert sent <= 2 * POSTS_PER_MINUTE
    return visitor


# On servers without an account, and where few forms a minute are too many.
EMPTY: Final[dict[str, Way]] = {
    "set-up": _first,
    "set-up, refused": _first_refused,
    "too often": too_often,
}
