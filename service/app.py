"""The one page that wires everything: settings, stores, rules, pages, commands.

Read it top to bottom: what is not on this page does not run. Imports stand where they are needed, so that
a probe pays for no web framework and a web worker for no migration tool.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, NoReturn

from service import RELEASE, parts

if TYPE_CHECKING:
    from flask import Flask

    from service.services import Health, Services
    from service.settings import Settings
    from service.storage.counting.sql_counters import Chosen
    from service.storage.engine.database import Database

GUNICORN_GIVES_UP: Final = 4  # where workers load the app: a master that does not know the code starts them again


def main() -> None:
    """Run one command of the operator's (`vestibule …`)."""
    if sys.argv[1:2] == ["ping"]:
        from service.healthcheck import main as ping

        sys.exit(ping(sys.argv[2:]))
    from service.cli import Operator, vestibule

    vestibule(obj=Operator(build_services=build_services, upgrade=upgrade, site=site))


def application() -> Flask:
    """Return the app that gunicorn serves. What keeps it from starting is said in one line, and the start ends."""
    import structlog

    from service.services import Unavailable
    from service.settings import SettingsFault, load
    from service.web.telemetry import multiprocess_metrics
    from service.web.telemetry.logs import configure_logging

    configure_logging()
    if multiprocess_metrics.nowhere():
        _end("gunicorn runs with a configuration that is not ours: start it with `vestibule serve`", GUNICORN_GIVES_UP)
    try:
        settings = load()
        app = create_app(build_services(settings))
    except (SettingsFault, Unavailable) as fault:
        _end(str(fault), 1)
    for template in app.jinja_env.list_templates():
        app.jinja_env.get_template(template)  # compiled once, before workers are forked
    for warning in settings.warnings:
        structlog.get_logger().warning(warning)
    structlog.get_logger().info("prepared", release=RELEASE, **facts(settings))
    return app


def _end(because: str, code: int) -> NoReturn:
    import structlog

    structlog.get_logger().critical("not started", because=because)
    sys.exit(code)


def facts(settings: Settings) -> dict[str, str | int]:
    """Return what the start-up line says of this machine: the journal that is safe here, and who works."""
    from service.storage.engine.database import Database

    return {
        "journal": Database(settings.database_address).journal_mode or "the server's",
        "workers": settings.workers,
        "threads_each": settings.server.threads,
        "hashing_each": settings.hash_threads_per_worker,
    }


def create_app(services: Services) -> Flask:
    """Return the web app. Its hooks run in this order: measured, guarded, checked, limited, answered."""
    from flask import Flask

    from service.web import assets, blocked, context, errors, forms, limits, protection
    from service.web.telemetry import reporting, self_checks

    app = Flask("service.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = forms.MAXIMUM_BODY_BYTES
    app.url_map.merge_slashes = False  # a doubled slash is another path: no redirect, no second spelling of a page
    context.install(app, services)
    reporting.init_app(app, services)
    protection.init_app(app, services)
    self_checks.init_app(app, services)
    blocked.init_app(app, services)
    limits.init_app(app, services.outer_limit)
    assets.init_app(app, services.brand)
    errors.init_app(app)
    _add_pages(app)
    return app


def _add_pages(app: Flask) -> None:
    from service.web import account, set_up, sign_in

    for page in (sign_in, account, set_up):
        app.register_blueprint(page.pages)


def build_services(settings: Settings) -> Services:
    """Make the database ready and put the rules around the stores. No connection stays open: workers fork later."""
    from service.services import Services
    from service.settings import secret_keys
    from service.storage.counting import sql_counters
    from service.storage.engine.database import Database
    from service.storage.stores import sql_stores
    from service.storage.upkeep import schema

    database = Database(settings.database_address)
    schema.prepare(database, backups=settings.state_dir / "backups", now=int(time.time()))
    counted = sql_counters.choose(database, redis=settings.redis_address)
    keys = secret_keys(settings)
    return Services(
        **sql_stores(database, audit_kept_seconds=settings.audit.keep),
        attempts=counted.attempts,
        passwords=parts.passwords(settings),
        gate=parts.gate(settings),
        lifetimes=parts.lifetimes(settings),
        throttles=parts.throttles(settings),
        keys=keys,
        public=settings.public,
        brand=parts.brand(settings),
        service_name=settings.brand.name,
        health=health(database, counted),
        outer_limit=parts.outer_limit(settings, counted, keys[0]),
        clock=lambda: int(time.time()),
        transaction=database.transaction,
        return_origins=frozenset(settings.access.return_origins),
        cookie_domain=settings.sessions.cookie_domain,
    )


def pending(database: Database) -> bool:
    """Whether `db upgrade` is due; so it is for a database that is not ours or too new, and then says why not."""
    from service.storage.upkeep import schema

    try:
        return schema.pending(database)
    except schema.SchemaFault:
        return True


def health(database: Database, counted: Chosen) -> Health:
    """Return what `/readyz` and the metrics ask of the database and the counters."""
    from service.services import Health

    return Health(
        database_answers=database.ping,
        migrations_pending=lambda: pending(database),
        tell_degraded=counted.tell,
    )


def upgrade(settings: Settings) -> str:
    """Bring the database's tables to this release (`vestibule db upgrade`); what was done, in words."""
    from service.storage.engine.database import Database
    from service.storage.upkeep import schema

    return schema.upgrade(
        Database(settings.database_address), backups=settings.state_dir / "backups", now=int(time.time())
    )


def site(settings: Settings) -> dict[str, bytes]:
    """Return the files that nginx serves itself, by path: assets and the pages of the errors it makes."""
    from service.web import static_site

    return static_site.files(parts.brand(settings))
