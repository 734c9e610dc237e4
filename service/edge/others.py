"""Proxies that are not ours: what writes the part of each."""

from typing import Final

from service.edge import caddy, snippet, traefik

OTHERS: Final = {"nginx": snippet.rendered, "caddy": caddy.rendered, "traefik": traefik.rendered}
