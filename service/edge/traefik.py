"""What Traefik is given: a file for its file provider, with middlewares that ask the door.

`forwardAuth` removes the client's headers that an expression names, and takes headers over from the door's answer: the
identity by the app's names, and the client's Cookie and Authorization without what is ours.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import Any, Final

from service.access import identity_headers
from service.access.apps import App

# Traefik sets the first four itself, from the connection or from what the trustedIPs of an entry point say.
_KEPT: Final = frozenset(
    {
        *("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-IP"),
        *("X-Forwarded-Proto", "X-Forwarded-Host", "Vestibule-Credential"),
    }
)
_PROBES: Final = "vestibule-probes"
_LARGEST_PAGE: Final = 131_072
_HEAD: Final = """\
# For a directory of Traefik's file provider. {use}
# The entry point decides whose X-Forwarded-For counts (forwardedHeaders.trustedIPs; never forwardedHeaders.insecure).
"""
_ROUTERS_THAT_EXIST: Final = "Routers take it as the last of their middlewares, such as vestibule-{}@file."
_WHOLE: Final = "It needs no other file for these apps."


def rendered(apps: Sequence[App], door: str, *, whole: bool) -> str:
    """Return middlewares for routers that exist, or routers and services, too. `door` is that of a `door.listen`."""
    http: dict[str, Any] = {"middlewares": {key: made for app in apps for key, made in _middlewares(app, door).items()}}
    http["routers"] = {f"vestibule-{app.name}-probe": _probe_router(app) for app in apps}
    http["services"] = {_PROBES: _service(f"http://{door}")}
    tree: dict[str, Any] = {"http": http}
    if whole:
        http["routers"] |= {f"vestibule-{app.name}": _router(app) for app in apps}
        http["services"] |= {f"vestibule-{app.name}": _service(app.upstream) for app in apps}
    if whole and (certificates := [_certificate(app) for app in apps if app.certificate]):
        tree["tls"] = {"certificates": certificates}
    use = _WHOLE if whole else _ROUTERS_THAT_EXIST.format(apps[0].name)
    return _HEAD.format(use=use) + "".join(f"{line}\n" for line in _yaml(tree))


def _middlewares(app: App, door: str) -> dict[str, Any]:
    name = f"vestibule-{app.name}"
    return {
        name: {"chain": {"middlewares": [f"{name}-address", f"{name}-door"]}},
        f"{name}-address": {"headers": {"customRequestHeaders": _address(app)}},
        f"{name}-door": {"forwardAuth": _door(app, door)},
    }


def _door(app: App, door: str) -> dict[str, Any]:
    removed = (name for name in identity_headers.removed(app.headers) if name not in _KEPT)
    return {
        "address": f"http://{door}/auth/forward",
        "trustForwardHeader": True,  # those that stand there by now
        "maxResponseBodySize": _LARGEST_PAGE,
        "authResponseHeaders": [*astuple(app.headers), *identity_headers.FROM_CLIENTS],
        "authResponseHeadersRegex": f"(?i)^(?:{'|'.join(removed)})$|[._]",
    }


def _address(app: App) -> dict[str, str]:
    """Return what is set before the door is asked, so that no client and no proxy before Traefik chooses it.

    An empty value removes a header; Traefik then takes method and target from the request.
    """
    own = {"Host": app.address.netloc, "X-Forwarded-Host": app.address.netloc, "X-Forwarded-Proto": app.address.scheme}
    return own | dict.fromkeys(("X-Forwarded-Method", "X-Forwarded-Uri", "Vestibule-Credential"), "")


def _router(app: App) -> dict[str, Any]:
    name = f"vestibule-{app.name}"
    router = {"rule": f"Host(`{app.address.host}`)", "middlewares": [name], "service": name}
    return router | ({"tls": {}} if app.address.is_https else {})


def _probe_router(app: App) -> dict[str, Any]:
    """Return the router of one path: a probe of `vestibule doctor` is answered by the service in place of the app."""
    router = _router(app)
    return router | {"rule": f"{router['rule']} && Path(`/.well-known/vestibule/probe`)", "service": _PROBES}


def _service(url: str) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": url}]}}


def _certificate(app: App) -> dict[str, str | None]:
    return {"certFile": app.certificate, "keyFile": app.certificate_key}


def _yaml(tree: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yield mappings as blocks, all else as JSON, which YAML contains."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from _yaml(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {json.dumps(value)}"
