"""Cookies: read in exactly one way, and set with every attribute that protects them."""

from dataclasses import dataclass

from flask import Response, request

from service.access import session_cookie
from service.web import context


def sent(name: str) -> list[str]:
    """Return the values of all cookies of exactly this name that came with this request."""
    return session_cookie.sent(request.headers.get("Cookie", ""), name)


def set_cookie(response: Response, name: str, value: str, *, max_age: int | None, domain: str | None = None) -> None:
    """Set a cookie for `max_age` seconds; None is until the browser closes, 0 deletes it."""
    is_https = context.services().public.is_https
    response.set_cookie(
        name, value, max_age=max_age, path="/", domain=domain, secure=is_https, httponly=True, samesite="Lax"
    )


def shared_domain() -> str | None:
    """Return the `Domain` with which sub-domains share the session; None where it is this host's alone."""
    services = context.services()
    return services.cookie_domain if services.public.is_https else None


@dataclass(frozen=True, slots=True)
class HostCookie:
    """A cookie of this host alone, also where sub-domains share the session (RFC 6265bis, 4.1.3.2)."""

    suffix: str
    max_age: int

    @property
    def name(self) -> str:
        return session_cookie.host_cookie_name(context.services().public, self.suffix)

    def value(self) -> str:
        return next(iter(sent(self.name)), "")

    def set(self, response: Response, value: str) -> None:
        set_cookie(response, self.name, value, max_age=self.max_age)

    def delete(self, response: Response) -> Response:
        set_cookie(response, self.name, "", max_age=0)
        return response
