"""One person's browser, driven by what the person sees: labels, buttons, links, headings."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final, Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, Response

from tests.rig.parts import need

PATIENCE_MILLISECONDS: Final = 10_000
_QUIET: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.co.uk 127.0.0.1",
)
# Playwright turns it off to be predictable; here what "back" shows is the question.
_AS_PEOPLE_HAVE_IT: Final = ("--disable-back-forward-cache",)
# Chromium's own remark on a document of 400 and above, which a story asks for. Of anything else it is caught below.
_REMARK: Final = "Failed to load resource: the server responded with a status of"


@contextlib.contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Yield the system's Chromium, and end it."""
    program = need("chromium")
    browser = playwright.chromium.launch(
        executable_path=program, args=_QUIET, ignore_default_args=_AS_PEOPLE_HAVE_IT, chromium_sandbox=False
    )
    with contextlib.closing(browser):
        yield browser


class Visitor:
    """A browser with cookies of its own, the tab in front (`page`), and all that went wrong in it (`troubles`)."""

    def __init__(self, context: BrowserContext) -> None:
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.context = context
        self.troubles: list[str] = []
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        self.page: Page = context.new_page()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_REMARK):
            self.troubles.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what was still under way when the person went on
            self.troubles.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.troubles.append(f"{response.status}: {response.url}")

    @property
    def heading(self) -> str:
        """The page's one heading."""
        return self.page.get_by_role("heading", level=1).inner_text()

    @property
    def problem(self) -> str:
        """The sentence of the alert."""
        return self.page.get_by_role("alert").locator("strong").first.inner_text()

    @property
    def notice(self) -> str:
        """What the page says aloud, calmly."""
        return self.page.get_by_role("status").inner_text().strip()

    @property
    def text(self) -> str:
        """Everything that can be read on the page."""
        return self.page.locator("body").inner_text()

    @property
    def path(self) -> str:
        """The address, from its path on."""
        return "/" + self.page.url.split("/", 3)[3]

    @property
    def session_cookies(self) -> list[Any]:
        """The browser's cookies, but for the one by which it is known and the probe, which outlive signing out."""
        return [cookie for cookie in self.context.cookies() if not cookie["name"].endswith(("device", "probe"))]

    @property
    def focus(self) -> str:
        """The name of the field that has the focus."""
        return self.page.locator(":focus").get_attribute("name") or ""

    def open(self, address: str) -> Self:
        """Type an address, or a path of the service's."""
        self.page.goto(address)
        return self

    def new_tab(self, address: str) -> Page:
        """Open an address in another tab, behind the one in front."""
        page = self.context.new_page()
        page.goto(address)
        return page

    def fill(self, **fields: str) -> Self:
        """Write into fields by their labels; underscores are spaces."""
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(text)
        return self

    def press(self, button: str) -> Self:
        """Press a button and wait for the page that follows."""
        return self._then(lambda: self.page.get_by_role("button", name=button, exact=True).click())

    def follow(self, link: str) -> Self:
        """Follow a link and wait for the page."""
        return self._then(lambda: self.page.get_by_role("link", name=link, exact=True).click())

    def hit(self, key: str) -> Self:
        """Hit a key that sends a form, and wait for the page."""
        return self._then(lambda: self.page.keyboard.press(key))

    def _then(self, act: Any) -> Self:  # noqa: ANN401 - what it returns is of no interest
        with self.page.expect_event("load"):
            act()
        return self

    def sign_in(self, name: str, password: str, *, stay: bool = False) -> Self:
        """Fill in the form in front and send it."""
        self.fill(Username=name, Password=password)
        self.page.get_by_label("Stay signed in").set_checked(stay)
        return self.press("Sign in")
