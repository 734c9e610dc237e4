"""All the wiring: settings, stores, rules, pages, commands. A part that is not on this page does not run.

Imports stand where they are needed, so that a probe loads no web framework and a web worker no migration tool.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from service import RELEASE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from flask import Flask

    from service.cli import Upkeep
    from service.login.attempts import Attempts
    from service.login.verify_password import Verifier
    from service.services import Brand, Health, Services
    from service.settings import Settings
    from service.storage.counting.choose import Chosen
    from service.storage.engine.database import Database

GUNICORN_GIVES_UP: Final = 4  # where workers load the app: a master that does not know the code starts them again


def main() -> None:
    """Run one of the operator's commands (`vestibule …`). Those that start often, or stay, load no command line."""
    match sys.argv[1:]:
        case ["ping", *options] if options in ([], ["--json"]):
            from service.healthcheck import main as ping

            sys.exit(ping(options))
        case ["proxy", "metrics", *directory] if len(directory) <= 1 and not "".join(directory).startswith("-"):
            from service.edge_metrics.server import main as metrics

            sys.exit(metrics(directory))
        case ["serve"]:
            from service.serve import become_gunicorn

            become_gunicorn()
    try:
        _run_command_line()
    except KeyboardInterrupt:  # while modules are loaded: click answers a later one
        sys.exit(128 + signal.SIGINT)


def _run_command_line() -> None:
    from service.cli import Operator, vestibule
    from service.edge.others import OTHERS

    vestibule(obj=Operator(build_services, load_upkeep, render_nginx_files, write_nginx_files, OTHERS))


def application() -> Flask:
    """Return the app that gunicorn serves. A fault in settings or stores ends the start, with one line in the log."""
    import structlog

    from service.services import Unavailable
    from service.settings import SettingsFault, load
    from service.settings.cross_checks import unreached
    from service.storage.upkeep import connections
    from service.web.telemetry import multiprocess_metrics
    from service.web.telemetry.logs import configure_logging

    configure_logging()
    if multiprocess_metrics.nowhere():
        _end("gunicorn runs with a foreign configuration: start it with `vestibule serve`", GUNICORN_GIVES_UP)
    try:
        settings = load()
        app = create_app(build_services(settings))
    except (SettingsFault, Unavailable) as fault:
        _end(str(fault), 1)
    for template in app.jinja_env.list_templates():
        app.jinja_env.get_template(template)  # compiled once, before workers are forked
    few = connections.warnings(_database(settings), settings.workers, settings.server.database_connections)
    for warning in (*settings.warnings, *few, *unreached(settings)):
        structlog.get_logger().warning(warning)
    structlog.get_logger().info("prepared", release=RELEASE, **_facts(settings))
    return app


def _end(because: str, code: int) -> NoReturn:
    import structlog

    structlog.get_logger().critical("not started", because=because)
    sys.exit(code)


def _facts(settings: Settings) -> dict[str, str | int]:
    """Return what the start-up line says: the database's journal, and the numbers of workers and threads."""
    return {
        "journal": _database(settings).journal_mode or "the server's",
        "workers": settings.workers,
        "threads_each": settings.server.threads,
        "hashing_each": settings.gate_size.threads,
    }


def create_app(services: Services) -> Flask:
    """Return the web app. Its hooks run in this order: measured, guarded, checked, limited, answered."""
    from flask import Flask

    from service.web import context, errors
    from service.web.door.door import Door
    from service.web.guard import blocked, forms, limits, protection
    from service.web.look import assets
    from service.web.pages import account, app_passwords, set_up, sign_in
    from service.web.telemetry import reporting, self_checks

    app = Flask("service.web", static_folder=None, template_folder="look/templates")
    app.config["MAX_CONTENT_LENGTH"] = forms.MAXIMUM_BODY_BYTES
    app.url_map.merge_slashes = False  # a doubled slash is another path: no redirect, no second spelling of a page
    context.install(app, services)
    reporting.init_app(app, services)
    protection.init_app(app, services.public, Door(services, reporting.counters_of(app)))
    self_checks.init_app(app, services)
    blocked.init_app(app, services.blocks)
    limits.init_app(app, services.outer_limit)
    assets.init_app(app, services.brand)
    errors.init_app(app)
    for page in (sign_in, account, app_passwords, set_up):
        app.register_blueprint(page.pages)
    errors.keep_form(app, "sign_in.login", sign_in.form_page)
    return app


def build_services(settings: Settings) -> Services:
    """Make the database ready and put the rules around the stores. No connection stays open: workers fork later."""
    from service.services import OuterLimit, Services
    from service.settings import apps_in_force, keep_closed, secret_keys
    from service.storage.counting.choose import choose
    from service.storage.upkeep import schema

    keep_closed(settings)
    database, keys = _database(settings), secret_keys(settings)
    schema.prepare(database, backups=settings.state_dir / "backups", now=int(time.time()))
    counted, apps = choose(database, redis=settings.redis_address), apps_in_force.AppsInForce(settings.nginx_dir)
    return Services(
        **_stores(settings, database),
        verifier=_verifier(settings, counted.attempts, keys),
        lifetimes=settings.sessions.lifetimes(),
        public=settings.public,
        brand=_brand(settings),
        health=_health(database, counted, apps.is_readable),
        outer_limit=OuterLimit(settings.limits.post_per_minute, counted.uri, counted.options, keys[0]),
        clock=lambda: int(time.time()),
        return_origins=frozenset(settings.access.return_origins),
        cookie_domain=settings.sessions.cookie_domain,
        apps=apps,
        door_cache_seconds=settings.door.cache_seconds,
        demo=settings.demo,
    )


def _database(settings: Settings) -> Database:
    from service.storage.engine.database import Database

    connections = settings.server.database_connections
    return Database(settings.database_address, named=settings.database_named, connections=connections)


def _stores(settings: Settings, database: Database) -> dict[str, Any]:
    """Return the stores over one database, by the names that `Services` gives them."""
    from service.storage import accounts, app_passwords, audit, blocks, links, sessions

    return {
        "accounts": accounts.SqlAccounts(database),
        "sessions": sessions.SqlSessions(database),
        "links": links.SqlLinks(database),
        "app_passwords": app_passwords.SqlAppPasswords(database),
        "audit": audit.SqlAudit(database, kept_seconds=settings.audit.keep),
        "blocks": blocks.SqlBlocks(database),
        "transaction": database.transaction,
    }


def _verifier(settings: Settings, attempts: Attempts, keys: tuple[bytes, ...]) -> Verifier:
    from service.hashing.gate import HashingGate
    from service.login.passwords import Parameters, Passwords
    from service.login.verify_password import Verifier

    cost, size = settings.passwords, settings.gate_size
    return Verifier(
        HashingGate(threads=size.threads, waiting=size.waiting, timer=time.monotonic),
        Passwords(Parameters(cost.memory, cost.iterations, cost.parallelism)),
        attempts,
        settings.throttles.by_scope(),
        keys,
        settings.brand.name,
    )


def _brand(settings: Settings) -> Brand:
    from service.services import Brand

    brand = settings.brand
    return Brand(brand.name, brand.accent, brand.logo.read_bytes() if brand.logo else None)


def _health(database: Database, counted: Chosen, apps_are_readable: Callable[[], bool]) -> Health:
    from service.services import Health
    from service.storage.upkeep import last_backup, schema

    def pending() -> bool:
        try:
            return schema.pending(database)
        except schema.SchemaFault:  # not our database, or too new a one: `db upgrade` says which
            return True

    return Health(database.ping, pending, counted.on_change, apps_are_readable, lambda: last_backup.read(database))


def load_upkeep() -> Upkeep:
    from service import upkeep

    return upkeep


def render_nginx_files(settings: Settings, directory: Path) -> dict[str, bytes]:
    """Return the judged set, and the files that nginx reads or serves by itself. Raises SettingsFault, ValueError."""
    from service.access.judged_set import JudgedSet, to_json
    from service.edge import nginx
    from service.settings import app_files, apps_in_force
    from service.web.look import assets

    apps = JudgedSet(app_files.apps(settings))
    files = nginx.rendered(settings, directory=directory, site=assets.nginx_files(_brand(settings)), apps=apps)
    return {apps_in_force.FILE: to_json(apps.apps).encode(), **files}


def write_nginx_files(directory: Path, files: Mapping[str, bytes], nginx: Path | None = None) -> None:
    """Put files in force; the nginx of a directory tests and reads them. Raises OSError, ValueError."""
    from service.edge import in_force

    in_force.put(directory, files, nginx)
