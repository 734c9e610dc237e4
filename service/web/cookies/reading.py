"""Cookies: read in exactly one way, and written with everything that keeps them ours."""

from flask import Response, request

from service.access import session_cookie
from service.web import context


def sent(name: str) -> list[str]:
    """Return the values of all cookies of exactly this name that came with this request."""
    return session_cookie.sent(request.headers.get("Cookie", ""), name)


def host_name(name: str) -> str:
    """Return the name of a cookie that is this host's alone."""
    return session_cookie.host_cookie_name(context.services().public, name)


def give(response: Response, name: str, value: str, *, max_age: int | None, domain: str | None = None) -> None:
    """Have the browser keep a value until it closes, or for so many seconds; 0 takes it away."""
    is_https = context.services().public.is_https
    response.set_cookie(
        name, value, max_age=max_age, path="/", domain=domain, secure=is_https, httponly=True, samesite="Lax"
    )
