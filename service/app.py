"""The one page that wires everything: settings, stores, rules, pages, commands.

Read it top to bottom: what is not on this page does not run. Imports stand where they are needed, so that
a probe pays for no web framework and a web worker for no migration tool.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, NoReturn

from service import RELEASE

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from service.hashing.gate import HashingGate
    from service.login.attempts import Throttles
    from service.login.passwords import Passwords
    from service.login.sessions import Lifetimes
    from service.services import Brand, Health, OuterLimit, Services
    from service.settings import Settings
    from service.storage.counting.choose import Chosen
    from service.storage.engine.database import Database

GUNICORN_GIVES_UP: Final = 4  # where workers load the app: a master that does not know the code starts them again
THREADS_KEPT_FREE: Final = 4


def main() -> None:
    """Run one command of the operator's (`vestibule …`)."""
    if sys.argv[1:2] == ["ping"]:
        from service.healthcheck import main as ping

        sys.exit(ping(sys.argv[2:]))
    if sys.argv[1:] == ["serve"]:
        from service.serve import become_gunicorn

        become_gunicorn()
    from service.cli import Operator, vestibule

    vestibule(obj=Operator(build_services=build_services, upgrade=upgrade, write_nginx_files=write_nginx_files))


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

    from service.web import context, errors
    from service.web.guard import blocked, forms, limits, protection
    from service.web.look import assets
    from service.web.telemetry import reporting, self_checks

    app = Flask("service.web", static_folder=None, template_folder="look/templates")
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
    from service.web import errors
    from service.web.pages import account, set_up, sign_in

    for page in (sign_in, account, set_up):
        app.register_blueprint(page.pages)
    errors.keep_form(app, "sign_in.login", sign_in.form_page)


def build_services(settings: Settings) -> Services:
    """Make the database ready and put the rules around the stores. No connection stays open: workers fork later."""
    from service.services import Services
    from service.settings import secret_keys
    from service.storage.counting.choose import choose
    from service.storage.engine.database import Database
    from service.storage.stores import sql_stores
    from service.storage.upkeep import schema

    database = Database(settings.database_address)
    schema.prepare(database, backups=settings.state_dir / "backups", now=int(time.time()))
    counted = choose(database, redis=settings.redis_address)
    keys = secret_keys(settings)
    return Services(
        **sql_stores(database, audit_kept_seconds=settings.audit.keep),
        attempts=counted.attempts,
        passwords=passwords(settings),
        gate=gate(settings),
        lifetimes=lifetimes(settings),
        throttles=throttles(settings),
        keys=keys,
        public=settings.public,
        brand=brand(settings),
        service_name=settings.brand.name,
        health=health(database, counted),
        outer_limit=outer_limit(settings, counted, keys[0]),
        clock=lambda: int(time.time()),
        transaction=database.transaction,
        return_origins=frozenset(settings.access.return_origins),
        cookie_domain=settings.sessions.cookie_domain,
    )


def passwords(settings: Settings) -> Passwords:
    """Return the hasher at its chosen cost."""
    from service.login.passwords import Parameters, Passwords

    cost = settings.passwords
    return Passwords(Parameters(cost.memory, cost.iterations, cost.parallelism))


def gate(settings: Settings) -> HashingGate:
    """Return the gate of one worker. Its queues leave some of the worker's threads to people who are in."""
    from service.hashing.gate import HashingGate

    hashing = settings.hash_threads_per_worker
    waiting = max(1, settings.server.threads - hashing - 1 - THREADS_KEPT_FREE)  # 1: shares are rounded up
    return HashingGate(threads=hashing, waiting=waiting, timer=time.monotonic)


def throttles(settings: Settings) -> Throttles:
    """Return how many wrong passwords each scope allows."""
    from service.login.attempts import Limit, Scope

    limits = {scope: getattr(settings.throttles, scope.value) for scope in Scope}
    return {scope: Limit(limit.count, limit.seconds) for scope, limit in limits.items()}


def lifetimes(settings: Settings) -> Lifetimes:
    """Return how long sessions live."""
    from service.login.sessions import Lifetimes

    chosen = settings.sessions
    return Lifetimes(chosen.idle, chosen.absolute, chosen.remember_idle, chosen.remember_absolute)


def outer_limit(settings: Settings, counted: Chosen, key: bytes) -> OuterLimit:
    """Return the limit on POSTs; its buckets are named with the secret key, so that no address is kept."""
    from service.services import OuterLimit

    return OuterLimit(
        posts_per_minute=settings.limits.post_per_minute,
        storage_uri=counted.uri,
        storage_options=counted.options,
        key=key,
    )


def brand(settings: Settings) -> Brand:
    """Return how the pages present themselves."""
    from service.services import Brand

    logo = settings.brand.logo
    return Brand(settings.brand.name, settings.brand.accent, logo.read_bytes() if logo else None)


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
        tell_degraded=counted.on_change,
    )


def upgrade(settings: Settings) -> str:
    """Bring the database's tables to this release (`vestibule db upgrade`); what was done, in words."""
    from service.storage.engine.database import Database
    from service.storage.upkeep import schema

    return schema.upgrade(
        Database(settings.database_address), backups=settings.state_dir / "backups", now=int(time.time())
    )


def write_nginx_files(settings: Settings, directory: Path) -> list[str]:
    """Write the files that nginx reads or serves by itself; return their names. Raises OSError, ValueError."""
    from service.edge import nginx
    from service.web.look import assets

    files = nginx.rendered(settings, directory=directory, site=assets.nginx_files(brand(settings)))
    nginx.write(directory, files)
    return sorted(files)
