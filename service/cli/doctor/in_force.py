"""What is in force: the clock, the cache's life, the files of apps.d. An echo in, findings out."""

from service.cli.doctor.echoes import Echo
from service.cli.doctor.findings import Finding, fault, ok, warning

_CLOCK_WARNING_SECONDS, _CLOCK_FAULT_SECONDS = 5, 60


def clock(echo: Echo, date: float | None, now: float) -> Finding:
    """Whether the clocks of this machine, the service and the first proxy agree."""
    ahead = max((echo.said["time"] - now, (date or now) - now), key=abs)
    whose = "the service's clock" if ahead == echo.said["time"] - now else "the Date of answers"
    if abs(ahead) < _CLOCK_WARNING_SECONDS:
        return ok("clock", "of the service, the proxies and this machine agree")
    kind = fault if abs(ahead) >= _CLOCK_FAULT_SECONDS else warning
    what = f"{whose} is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    why = "sessions, links and cookies end too early or too late"
    return kind("clock", what, why, "on the machine whose clock is wrong: timedatectl set-ntp true")


def cache_life(echo: Echo, configured: int) -> Finding:
    """How long an ended session may still pass."""
    seconds = echo.said["cache_seconds"]
    if seconds != configured:
        what = f"the service runs with door.cache_seconds = {seconds}, and the settings here say {configured}"
        line = "restart the service (docs/operating.md), or run doctor with the service's settings"
        return warning("cache life", what, "an ended session passes for another time than you chose", line)
    what = f"an ended session passes at most {seconds + 1} s longer" if seconds else "nothing is cached"
    return ok("cache life", what)


def rules(echo: Echo, judged: str) -> Finding:
    """Whether the files of apps.d, the apps in force and nginx's files are of one time."""
    why = "what you changed in apps.d does not hold"
    if echo.said["rules"] != judged:
        return fault("rules", "the apps in force are not those in apps.d", why, "type: vestibule proxy render --reload")
    asked = echo.seen
    if asked and asked.question == "verify" and asked.rules != judged:
        what = "nginx's files are older than the apps in force"
        why = "rules hold, but nothing is cached; new apps, addresses and upstreams are not in nginx yet"
        return fault("rules", what, why, "type: vestibule proxy render --reload")
    return ok("rules", "of apps.d are in force, and nginx's files are of the same time")
