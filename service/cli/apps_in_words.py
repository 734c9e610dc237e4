"""Apps and their rules in words."""

from collections.abc import Iterator
from dataclasses import asdict

from service.access.apps import App
from service.access.identity_headers import DEFAULT
from service.access.rules import Rule
from service.settings.kinds import spelled_duration


def lines_of_app(app: App) -> Iterator[str]:
    """Yield a line about the app, one about what it asks for besides, and one about each of its rules."""
    yield f"{app.name}  {app.address.origin}  to {app.upstream}  ({app.title})"
    flags = [flag for flag in ("app_passwords", "preflight", "own_sessions", "certificate") if getattr(app, flag)]
    headers = [f"{key} in {name}" for key, name in asdict(app.headers).items() if name != getattr(DEFAULT, key)]
    if flags or headers:
        yield f"      {', '.join(flags + headers)}"
    yield from (f"  {rule.number:>2}  {described(rule)}" for rule in app.rules)


def described(rule: Rule) -> str:
    """Return which requests a rule is for, and whom it admits."""
    conditions = [rule.path, *rule.methods, *map(str, rule.networks)]
    admitted = [f"user {name}" for name in rule.users] + [f"group {name}" for name in rule.groups]
    fresh = f", signed in within {spelled_duration(rule.fresh)}" if rule.fresh else ""
    return f"{' '.join(conditions)}: {rule.allow or ' or '.join(admitted)}{fresh}{' (report only)' * rule.report_only}"
