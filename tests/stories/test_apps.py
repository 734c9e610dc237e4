"""An app behind nginx and the service, as a person meets it in Chromium."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.door.guarded import SIGNED_IN, Guarded, guarded
from tests.rig.asking import free_port
from tests.rig.passwords import PASSWORD
from tests.stories.conftest import Visit
from tests.stories.elsewhere import Elsewhere
from tests.stories.looks import faults
from tests.stories.people import order
from tests.stories.visitor import Visitor

RULES = f"""
[[rules]]
path = "/admin"
groups = ["ops"]
fresh = "10m"
{SIGNED_IN}
"""
# Asks again and again, as the page of a chat does, and shows what it was answered.
POLLING = """<h1>Chat</h1><output></output><script>
setInterval(async () => {
  const answer = await fetch("/api/messages");
  const said = answer.ok ? {} : await answer.json();
  const {status, redirected} = answer;
  document.querySelector("output").textContent = JSON.stringify({status, redirected, ...said});
}, 50);
</script>"""
EDITOR = (
    "<h1>Editor</h1><form method=post action=/save><label>Text<input name=text></label><button>Save</button></form>"
)


@pytest.fixture(scope="module")
def apps(elsewhere: Elsewhere) -> Iterator[Guarded]:
    """A wiki, a portal that everyone may read, and an app whose nginx drops the session cookie; one site behind all."""
    upstream = f'upstream = "{elsewhere.foreign_origin}"\n'
    texts = {
        "wiki": f'title = "Wiki"\n{upstream}{RULES}',
        "portal": f'{upstream}[[rules]]\nallow = "everyone"',
        "gone": f'upstream = "http://127.0.0.1:{free_port()}"\n{SIGNED_IN}',
        "lost": f'title = "Board"\n{upstream}{SIGNED_IN}',
    }
    with guarded(texts, LIMITS__POST_PER_MINUTE="600") as servers:
        conf = servers.servers.nginx_dir / "apps" / "lost.conf"
        conf.write_text(conf.read_text().replace("$door_cookie;", '"";'))
        servers.servers.processes["nginx"].send_signal(signal.SIGHUP)
        cookie = servers.sign_in("bob")
        servers.servers.wait_until(lambda: servers.ask("lost", "/", Cookie=cookie).status == 401, "nginx drops it")
        elsewhere.pages |= {"/chat": POLLING, "/edit": EDITOR, "/save": "<h1>Saved</h1>"}
        elsewhere.pages["/portal"] = f"<h1>Portal</h1><iframe title=Wiki src={address(servers, 'wiki')}/board></iframe>"
        yield servers


def address(apps: Guarded, app: str) -> str:
    return f"http://localhost:{apps.ports[app]}"


def forgotten(apps: Guarded, visitor: Visitor) -> None:
    """Wait until nginx no longer remembers a session that was ended."""
    tab = visitor.new_tab(f"{address(apps, 'wiki')}/board")
    apps.servers.wait_until(
        lambda: bool(tab.reload()) and tab.url.startswith(apps.servers.origin), "the session is forgotten"
    )
    tab.close()


def test_open_sign_in_come_back(apps: Guarded, visit: Visit) -> None:
    """A page of an app leads to the sign-in page and back to the very same address, and then opens at once."""
    alice, target = visit(apps.servers), f"{address(apps, 'wiki')}/a%2Fb//c%25?q=[1]&r=%2F//"

    assert alice.open(target).heading == "Sign in"
    assert f"to continue to localhost:{apps.ports['wiki']}" in alice.text
    assert alice.sign_in("alice", PASSWORD).heading == "You have arrived"
    assert alice.page.url == target
    assert alice.open(f"{address(apps, 'wiki')}/other").heading == "You have arrived"


def test_a_place_in_a_page(apps: Guarded, visit: Visit) -> None:
    """What an address has behind # is never sent to a server, and is there again after signing in all the same."""
    alice, target = visit(apps.servers), f"{address(apps, 'wiki')}/board?x=1#/card/7"

    assert alice.open(target).sign_in("alice", "a mistyped one").heading == "Sign in"
    assert alice.sign_in("alice", PASSWORD).page.url == target


def test_sign_out_elsewhere_be_asked_again(apps: Guarded, visit: Visit) -> None:
    """After signing out in another tab the app asks for signing in again, and leads back."""
    alice, target = visit(apps.servers), f"{address(apps, 'wiki')}/board"
    alice.open(target).sign_in("alice", PASSWORD)
    behind = alice.page
    alice.page = alice.new_tab(f"{apps.servers.origin}/account")
    alice.press("Sign out")
    alice.page = behind

    forgotten(apps, alice)

    assert alice.open(target).sign_in("alice", PASSWORD).page.url == target


def test_a_polling_page(apps: Guarded, visit: Visit) -> None:
    """A script is told 401 in JSON, where its person signs in and comes back to the page; it is never redirected."""
    alice, chat = visit(apps.servers), f"{address(apps, 'wiki')}/chat"
    alice.open(chat).sign_in("alice", PASSWORD)
    said = alice.page.locator("output")
    expect(said).to_contain_text('"status":200')

    order(apps.servers, "session", "end", "--account", "alice")

    expect(said).to_contain_text('"status":401')
    answer = json.loads(said.inner_text())
    assert (answer["redirected"], answer["reason"]) == (False, "sign-in")
    assert parse_qs(urlsplit(answer["login_url"]).query)["rd"] == [chat]
    assert alice.open(answer["login_url"]).sign_in("alice", PASSWORD).heading == "Chat"
    alice.troubles = [each for each in alice.troubles if not each.startswith("401: ")]  # which the script asked for


def test_a_form_that_was_sent_too_late(apps: Guarded, elsewhere: Elsewhere, visit: Visit) -> None:
    """The page says that nothing was sent; after signing in in another tab, reloading sends the very same form."""
    alice = visit(apps.servers)
    alice.open(f"{address(apps, 'wiki')}/edit").sign_in("alice", PASSWORD)
    order(apps.servers, "session", "end", "--account", "alice")
    forgotten(apps, alice)
    elsewhere.sent.clear()

    assert alice.fill(Text="an evening's work").press("Save").heading == "Nothing was sent"
    with alice.context.expect_page() as opened:
        alice.page.get_by_role("link", name="Sign in in another tab").click()
    late, alice.page = alice.page, opened.value
    assert alice.sign_in("alice", PASSWORD).heading == "Editor"
    assert elsewhere.sent == []
    alice.page = late
    alice.page.reload()

    assert (alice.heading, elsewhere.sent) == ("Saved", ["text=an+evening%27s+work"])


def test_a_frame(apps: Guarded, visit: Visit) -> None:
    """A frame shows a link that leads the whole tab to sign in, and from there back to the page around the frame."""
    alice, portal = visit(apps.servers), f"{address(apps, 'portal')}/portal"
    frame = alice.open(portal).page.frame_locator("iframe")
    expect(frame.get_by_role("heading")).to_have_text("You are not signed in")

    with alice.page.expect_event("load"):
        frame.get_by_role("link", name="Sign in").click()

    assert (alice.heading, alice.sign_in("alice", PASSWORD).page.url) == ("Sign in", f"{address(apps, 'portal')}/")
    expect(alice.open(portal).page.frame_locator("iframe").get_by_role("heading")).to_have_text("You have arrived")


def test_an_app_that_does_not_answer(apps: Guarded, visit: Visit) -> None:
    """nginx's own page at an app's address can be read in light and in dark, on a narrow screen and on a wide one."""
    alice = visit(apps.servers)

    alice.open(address(apps, "gone")).sign_in("alice", PASSWORD)

    assert alice.heading == "The app does not answer"
    assert faults(alice.page) == []
    alice.troubles = [each for each in alice.troubles if not each.startswith("502: ")]


def test_a_session_that_is_not_fresh(apps: Guarded, visit: Visit) -> None:
    """A page for which the sign-in is too old asks for the password once more, and then opens."""
    alice, admin = visit(apps.servers), f"{address(apps, 'wiki')}/admin"
    alice.open("/").sign_in("alice", PASSWORD)
    with closing(sqlite3.connect(apps.servers.state_dir / "vestibule.sqlite3")) as database, database:
        database.execute("UPDATE sessions SET created_at = created_at - 700")

    assert alice.open(admin).heading == "Sign in"
    assert "asks for your password again" in alice.notice
    assert alice.page.get_by_label("Username").input_value() == "alice"
    assert alice.focus == "password"
    assert faults(alice.page) == []
    assert alice.fill(Password=PASSWORD).press("Sign in").page.url == admin
    assert alice.heading == "You have arrived"


def test_a_person_who_is_not_admitted(apps: Guarded, visit: Visit) -> None:
    """A page that the account may not open says as whom it was asked for, and leads nowhere by itself."""
    bob, admin = visit(apps.servers), f"{address(apps, 'wiki')}/admin"

    assert bob.open(admin).sign_in("bob", PASSWORD).heading == "You may not open this"
    assert (bob.page.url, "signed in as bob" in bob.text) == (admin, True)
    assert bob.follow("Use another account").heading == "Sign out?"


def test_a_session_that_gets_lost(apps: Guarded, visit: Visit) -> None:
    """A browser that an app sends back again and again ends on a page that names the cause; it goes on elsewhere."""
    alice, board = visit(apps.servers), f"{address(apps, 'lost')}/board"

    assert alice.open(board).sign_in("alice", PASSWORD).heading == "The way back is broken"
    assert f"vestibule doctor {address(apps, 'lost')}" in alice.text
    assert alice.open(f"{address(apps, 'wiki')}/board").heading == "You have arrived"


def test_the_apps_of_a_person(apps: Guarded, visit: Visit) -> None:
    """The account's page leads to each app."""
    bob = visit(apps.servers)
    bob.open("/").sign_in("bob", PASSWORD)

    links = bob.page.get_by_role("navigation", name="Apps").get_by_role("link")

    assert [text.split("\n")[0] for text in links.all_inner_texts()] == ["Board", "gone", "portal", "Wiki"]
    with bob.page.expect_event("load"):
        links.last.click()
    assert (bob.heading, bob.page.url) == ("You have arrived", f"{address(apps, 'wiki')}/")


def test_how_refusals_look(apps: Guarded, visit: Visit) -> None:
    """axe finds nothing on the pages of refusals, in light and dark, at 320 and 1280 pixels."""
    bob = visit(apps.servers, bypass_csp=True)
    bob.open(f"{address(apps, 'wiki')}/admin").sign_in("bob", PASSWORD)
    found = faults(bob.page)
    bob.open(f"{address(apps, 'lost')}/x")
    found += faults(bob.page)
    bob.open(f"{apps.servers.origin}/account")
    found += faults(bob.page)
    bob.press("Sign out")
    forgotten(apps, bob)
    bob.open(f"{address(apps, 'portal')}/edit")
    bob.page.locator("form").evaluate("(form, action) => form.action = action", f"{address(apps, 'wiki')}/save")
    bob.press("Save")

    assert bob.heading == "Nothing was sent"
    assert found + faults(bob.page) == []
