"""A network on the command line."""

from service.cli.output import refuse
from service.login.networks import Network, parse


def network_named(text: str) -> Network:
    """Return the network or the address that an operator typed; exit with code 1 when it is none."""
    return parse(text) or refuse(f"{text!r} is not a network: write an address, or a network such as 192.0.2.0/24.")
