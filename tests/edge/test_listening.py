"""The addresses that nginx listens on are those of the settings, in both families."""

import http.client
from contextlib import closing

import pytest

from service import listeners
from service.listeners import Listener
from tests.rig.asking import PATIENCE_SECONDS, free_port
from tests.rig.servers import prepared


def _status(host: str, port: int, path: str) -> int:
    with closing(http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)) as connection:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status


@pytest.mark.parametrize("listen", ["[::]:{}", "0.0.0.0:{0},[::]:{0}", "127.0.0.1:{0} [::1]:{0}"])
def test_both_listeners_answer_in_both_families(listen: str) -> None:
    """`[::]`, alone or in a list, and a list of one address from each family are reached over IPv4 and IPv6."""
    if listeners.fault_of(Listener("::1", 0)):
        pytest.skip("this machine has no IPv6")
    port, ops_port = free_port(), free_port()
    with prepared(
        workers=1,
        PUBLIC_URL=f"http://localhost:{port}",
        SERVER__LISTEN=listen.format(port),
        OPS_LISTEN=listen.format(ops_port),
    ) as servers:
        servers.port, servers.ops_port = port, ops_port
        servers.start()

        statuses = [_status(host, port, "/") for host in ("127.0.0.1", "::1")]
        ops_statuses = [_status(host, ops_port, "/readyz") for host in ("127.0.0.1", "::1")]

    assert statuses == ops_statuses == [200, 200]
