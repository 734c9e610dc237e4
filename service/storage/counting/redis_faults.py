"""Why Redis does not serve, as messages that say what to check; the driver's own messages can hold a secret."""

import socket
import ssl
from collections.abc import Iterator
from typing import Final

_NO_RIGHT: Final = "its user may not use a command or a key that is needed: docs/settings.md has the ACL"
_NO_NAME: Final = "the name of the server cannot be resolved"
_CLOSED: Final = "the server closed the connection: has it ended, or does it speak TLS (rediss://)?"
_CLUSTER: Final = "the server is one of a cluster (cluster-enabled): name one that stands alone"
_BY_TEXT: Final = (
    ("is not known (", _NO_NAME),
    ("was not resolved", _NO_NAME),
    ("no permissions", _NO_RIGHT),
    ("user executing the script can't", _NO_RIGHT),
    ("wrongpass", "the user name or the password is wrong"),
    ("invalid username-password", "the user name or the password is wrong"),
    ("without any password configured", "a password is given, and the server has none for this user"),
    ("authentication required", "the server wants a password"),
    ("db index", "the server has no database of that number"),
    ("maxmemory", "the server's memory is full"),
    ("read only replica", "the server is a read-only replica"),
    ("noreplicas", "fewer replicas follow the server than it wants before it writes (min-replicas-to-write)"),
    ("misconf", "the server cannot save its data to its disk, and so refuses to write"),
    ("busy running a script", "a script of another client keeps the server busy"),
    ("link with master is down", "the server is a replica that has lost its primary"),
    ("clusterdownerror", _CLUSTER),
    ("movederror", _CLUSTER),
    ("loading the dataset", "the server is still loading its data"),
    ("max number of clients", "the server has no connection left"),
    ("timeout", "the server did not answer in time"),
    ("closed by server", _CLOSED),
)
_BY_KIND: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (socket.gaierror, _NO_NAME),
    (ConnectionRefusedError, "no server listens on that port or socket"),
    (ConnectionResetError, _CLOSED),
    (TimeoutError, "the server did not answer in time"),
)


def in_words(failure: BaseException) -> str:
    """Return what is wrong: name, port, certificate, password, database number, or something else."""
    chain = list(_chain(failure))
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            return f"the server's certificate is refused: {each.verify_message}"
        if isinstance(each, ssl.SSLError):
            return f"TLS fails ({each.reason}): is the port one for TLS, and are the files of the ssl_ options right?"
    said = " ".join(f"{type(each).__name__} {each}" for each in chain).lower()
    by_text = [words for part, words in _BY_TEXT if part in said]
    by_kind = [words for kind, words in _BY_KIND if any(isinstance(each, kind) for each in chain)]
    by_system = [each.strerror for each in chain if isinstance(each, OSError) and each.strerror]
    return next(iter(by_text + by_kind + by_system), type(failure).__name__)


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    """Yield a failure and the ones that it came from."""
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
