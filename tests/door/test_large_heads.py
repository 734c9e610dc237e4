"""A client cannot make the door fail: what nginx takes, the service answers."""

import pytest

from tests.door.guarded import Guarded
from tests.rig.asking import answers, send

LARGE = b"x" * 7900


@pytest.mark.parametrize("app", ["wiki", "programs"])
@pytest.mark.parametrize(
    "head",
    [
        (b"Cookie: vestibule_session=" + LARGE + b"\r\n") * 3,
        b"Authorization: Basic " + LARGE + b"\r\nOrigin: " + LARGE + b"\r\nReferer: " + LARGE + b"\r\n",
        (b"Referer: " + LARGE + b"\r\n") * 3,  # nginx 1.23 and later makes one header of them
        b"Cookie: vestibule_session=\xff\xfe\r\nReferer: \xff\r\nSec-Fetch-Mode: \xff\r\nOrigin: \xff\r\n",
    ],
    ids=["cookies", "fields", "referers", "bytes"],
)
def test_no_head_makes_the_door_fail(it: Guarded, app: str, head: bytes) -> None:
    """A head of 24 kB, in one header or in several, is refused as any without a session; none ends in a 5xx."""
    port = it.ports[app]
    request = b"GET / HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n%s\r\n" % (port, head)

    assert answers(send(port, request)) == [401]
