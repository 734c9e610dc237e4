"""A network on the command line."""

from service.cli.words import refuse
from service.login.networks import Network, parse


def network_named(text: str) -> Network:
    """Return the network or the address that an operator wrote; leave when it is none."""
    return parse(text) or refuse(f"{text!r} is no network: write it like 192.0.2.0/24.")
