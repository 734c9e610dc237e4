"""Cookies: read in exactly one way, and written with everything that keeps them ours."""

from flask import Response, request

from service.web import context


def sent(name: str) -> str | None:
    """Return the first cookie of exactly this name, whatever is in it.

    Read from the header itself: a nameless cookie, a space before `=` or quotes make another name or
    value in one parser and not in another, and never ours.
    """
    for part in request.headers.get("Cookie", "").split(";"):
        key, equals, value = part.lstrip(" ").partition("=")
        if equals and key == name:  # without it: a nameless cookie of that value (RFC 6265bis, 5.6)
            return value.rstrip(" ")
    return None


def give(response: Response, name: str, value: str, *, max_age: int | None, domain: str | None = None) -> None:
    """Have the browser keep a value until it closes, or for so many seconds; 0 takes it away."""
    is_https = context.services().public.is_https
    response.set_cookie(
        name, value, max_age=max_age, path="/", domain=domain, secure=is_https, httponly=True, samesite="Lax"
    )
