"""From an empty database to a team: the whole story, in a browser, against the real servers."""

import pytest

from tests.rig import postgres
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.servers import Servers, prepared, running
from tests.stories.conftest import Visit
from tests.stories.people import THIRD_PASSWORD, WRONG, link, order
from tests.stories.visitor import Visitor


@pytest.mark.parametrize(("workers", "scripted"), [(2, True), (4, False)])
def test_a_team_moves_in(visit: Visit, workers: int, *, scripted: bool) -> None:
    """One link makes the administrator, others the team; a disabled one is signed out; all without JavaScript, too."""
    with running(workers=workers) as servers:
        anna, laptop, bruno = (visit(servers, java_script_enabled=scripted) for _ in range(3))
        _the_first_administrator_is_made(servers, anna)
        _signing_out_and_in(anna)
        _a_new_password_ends_the_other_browser(anna, laptop)
        _an_invitation_is_accepted(servers, bruno)
        _a_reset_link_is_used(servers, bruno)
        _a_disabled_account_is_out_at_once(servers, bruno)
        assert anna.open("/account").heading == "anna"


def test_a_team_moves_in_on_postgresql(visit: Visit) -> None:
    """The story's beginning stands on PostgreSQL too, once its tables are made."""
    with postgres.running() as database, prepared(DATABASE_URL=database.new_database()) as servers:
        order(servers, "db", "upgrade")
        servers.start()
        anna, laptop = visit(servers), visit(servers)
        _the_first_administrator_is_made(servers, anna)
        _signing_out_and_in(anna)
        _a_new_password_ends_the_other_browser(anna, laptop)


def _the_first_administrator_is_made(servers: Servers, anna: Visitor) -> None:
    address = link(servers, "setup", "link")

    assert anna.open(address).heading == "Create the first account"
    anna.fill(Username="Anna", New_password=PASSWORD, New_password_again=OTHER_PASSWORD).press("Create account")
    assert anna.problem == "The two new passwords are not the same."
    anna.fill(New_password=PASSWORD, New_password_again=PASSWORD).press("Create account")
    assert anna.notice == "Your password is set. Sign in with it."
    assert anna.sign_in("anna", PASSWORD).heading == "anna"
    assert "Administrator" in anna.text
    assert anna.open(address).heading == "This link no longer works"


def _signing_out_and_in(anna: Visitor) -> None:
    assert anna.open("/account").press("Sign out").notice == "You are signed out."
    assert anna.session_cookies == []
    assert anna.sign_in("anna", OTHER_PASSWORD).problem == WRONG
    assert anna.sign_in("anna", PASSWORD).heading == "anna"
    assert anna.open("/logout").heading == "Sign out?"
    assert anna.follow("Stay signed in").heading == "anna"


def _a_new_password_ends_the_other_browser(anna: Visitor, laptop: Visitor) -> None:
    assert laptop.open("/").sign_in("anna", PASSWORD).heading == "anna"

    anna.follow("Change password").fill(
        Current_password=PASSWORD, New_password=OTHER_PASSWORD, New_password_again=OTHER_PASSWORD
    )
    assert anna.press("Change password").notice == "Your password is changed. Every other browser was signed out."
    assert laptop.follow("Change password").heading == "Sign in"
    assert laptop.sign_in("anna", PASSWORD).problem == WRONG
    assert laptop.sign_in("anna", OTHER_PASSWORD).heading == "Change password"


def _an_invitation_is_accepted(servers: Servers, bruno: Visitor) -> None:
    address = link(servers, "account", "add", "bruno", "--name", "Bruno Example", "--group", "staff", "--invite")

    assert bruno.open(address).heading == "Choose your password"
    assert bruno.page.get_by_label("Username").input_value() == "bruno"
    bruno.fill(New_password="bruno bruno bruno", New_password_again="bruno bruno bruno").press("Save password")
    assert bruno.problem.startswith("That password is made of your name")
    bruno.fill(New_password=PASSWORD, New_password_again=PASSWORD).press("Save password")
    assert bruno.sign_in("bruno", PASSWORD, stay=True).heading == "Bruno Example"
    assert "staying signed in" in bruno.text


def _a_reset_link_is_used(servers: Servers, bruno: Visitor) -> None:
    address = link(servers, "account", "reset-link", "bruno")

    assert bruno.open(address).heading == "Choose a new password"
    bruno.fill(New_password=THIRD_PASSWORD, New_password_again=THIRD_PASSWORD).press("Save password")
    assert bruno.open("/account").heading == "Sign in"
    assert bruno.sign_in("bruno", PASSWORD).problem == WRONG
    assert bruno.sign_in("bruno", THIRD_PASSWORD).heading == "Bruno Example"


def _a_disabled_account_is_out_at_once(servers: Servers, bruno: Visitor) -> None:
    assert (
        order(servers, "account", "disable", "bruno") == "Disabled bruno; sessions ended: 1; app passwords ended: 0.\n"
    )

    assert bruno.follow("Change password").heading == "Sign in"
    assert bruno.sign_in("bruno", THIRD_PASSWORD).problem == WRONG
