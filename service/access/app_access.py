"""What an account may do with apps as a whole: which ones it may open, and where it must type its password again."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from service.access.apps import App
from service.access.decision import Outcome, Request, decide
from service.access.judged_set import JudgedSet
from service.access.paths import ROOT
from service.access.return_to import origin_of, path_of
from service.login.accounts import Account
from service.login.sessions import SignedIn


@dataclass(frozen=True, slots=True)
class Entrance:
    """An app that an account may open: its title, the address that people know, and the page to begin with."""

    title: str
    address: str
    url: str


def entrances(apps: Iterable[App], account: Account, *, address: str, now: int) -> list[Entrance]:
    """Return the apps that an account may open from a client's address, by title.

    An app opens at its root, else at the first path of its rules that admits the account; it may ask for the password.
    """

    def opens(app: App, path: str) -> bool:
        decision = decide(app, Request("GET", quote(path), address), account, signed_in_at=now, now=now)
        return decision.enforced.outcome is Outcome.ALLOWED

    found = []
    for app in apps:
        paths = dict.fromkeys((ROOT, *(rule.path for rule in app.rules)))
        if (path := next((each for each in paths if opens(app, each)), None)) is not None:
            found.append(Entrance(app.title, app.address.netloc, app.address.origin + quote(path)))
    return sorted(found, key=lambda entrance: (entrance.title.casefold(), entrance.url))


def app_of(url: str | None, apps: JudgedSet) -> App | None:
    origin = origin_of(url) if url else None
    return apps.app_of(origin) if origin else None


def asks_again(app: App, url: str, signed_in: SignedIn, *, fresh: int | None, address: str, now: int) -> bool:
    """Whether the password must be typed again before a person returns to a page of an app.

    Either its rules say so, or the request that led here was refused for its age: `fresh` is the time, in seconds, that
    its rule names. That request may have had another path, or method.
    """
    since = signed_in.session.created_at
    if fresh is not None and now - since >= fresh:
        return True
    request = Request("GET", path_of(url), address)
    return decide(app, request, signed_in.account, signed_in_at=since, now=now).enforced.outcome is Outcome.NOT_FRESH
