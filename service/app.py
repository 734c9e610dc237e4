"""The one page that wires everything: settings, stores, rules, pages, commands.

Read it top to bottom: what is not on this page does not run. Imports stand where they are needed, so that
a probe pays for no web framework and a web worker for no migration tool.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from service.services import Services
    from service.settings import Settings
    from service.storage.database import Database


def main() -> None:
    """Run one command of the operator's (`vestibule …`)."""
    if sys.argv[1:2] == ["ping"]:
        from service.cli.ping import main as ping

        sys.exit(ping(sys.argv[2:]))
    from service.cli import Operator, vestibule

    vestibule(obj=Operator(build_services=build_services, upgrade=upgrade, site=site))


def application() -> Flask:
    """Return the app that gunicorn serves: the database is made ready first, and a fault stops the start."""
    from service import settings as chosen
    from service.web.telemetry import configure_logging

    configure_logging()
    settings = chosen.load()
    return create_app(build_services(settings), settings)


def build_services(settings: Settings) -> Services:
    """Open the stores (connections come at first use) and put the rules around them."""
    import time

    from service.login.hashing import HashingGate
    from service.login.passwords import Parameters, Passwords
    from service.login.sessions import Lifetimes
    from service.services import Services
    from service.storage.accounts import SqlAccounts
    from service.storage.links import SqlLinks
    from service.storage.sessions import SqlSessions

    database = open_database(settings)
    sessions, passwords = settings.sessions, settings.passwords
    return Services(
        accounts=SqlAccounts(database),
        sessions=SqlSessions(database),
        links=SqlLinks(database),
        passwords=Passwords(Parameters(passwords.memory, passwords.iterations, passwords.parallelism)),
        gate=HashingGate(threads=settings.hashing.threads_per_worker, waiting=settings.hashing.waiting),
        lifetimes=Lifetimes(sessions.idle, sessions.absolute, sessions.remember_idle, sessions.remember_absolute),
        public=settings.public,
        brand=brand(settings),
        health=health(database),
        clock=lambda: int(time.time()),
        transaction=database.transaction,
        return_origins=frozenset(settings.access.return_origins),
        cookie_domain=sessions.cookie_domain,
    )
