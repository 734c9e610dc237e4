"""The outer limit with four workers, parallel requests, a restart, and a second service on the same database."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.rig.servers import Servers
from tests.whole.conftest import Start, migrated

LIMIT = 12
OUTER_ALONE = {"LIMITS__POST_PER_MINUTE": str(LIMIT), "THROTTLES__ACCOUNT_FROM_NETWORK": "1000/15m"}


def statuses(servers: Servers, posts: int) -> Counter[int]:
    """Send so many wrong sign-ins at once, and count the answers."""
    form = b"username=nobody&password=not+a+password+of+anybody"

    def post(_number: int) -> int:
        headers = {"Content_Type": "application/x-www-form-urlencoded"}
        return servers.get("/", method="POST", body=form, **headers).status

    with ThreadPoolExecutor(20) as clients:
        return Counter(clients.map(post, range(posts)))


def test_not_one_more_than_the_limit_gets_through(start: Start) -> None:
    """Of 40 parallel POSTs to four workers exactly as many as the limit pass, and after a restart none."""
    with start(workers=4, **OUTER_ALONE) as servers:
        at_once = statuses(servers, 40)
        servers.end("gunicorn")
        servers.start_gunicorn()
        servers.wait_until(lambda: servers.ops("/readyz").status == 200, "ready again")
        after_restart = statuses(servers, 5)
        refused = servers.get("/", method="POST", body=b"", Content_Type="application/x-www-form-urlencoded")
        reading = servers.get("/").status

    assert (at_once[401] + at_once[503], at_once[429]) == (LIMIT, 40 - LIMIT), (
        at_once
    )  # 503: counted, then shed by the gate
    assert after_restart == {429: 5}
    assert 1 <= int(refused.one("retry-after")) <= 61
    assert b"Please try again" in refused.body
    assert reading == 200


def test_services_on_one_database_count_together() -> None:
    """Two services, each with a state directory of its own, let through no more than the limit between them."""
    key = "a key that both of the services have"
    shared = OUTER_ALONE | {"SERVER__WORKERS": "1", "SECRET_KEY": key}
    with migrated(**shared) as one:
        address = f"sqlite:///{one.state_dir / 'vestibule.sqlite3'}"
        with migrated(DATABASE_URL=address, **shared) as other:
            refused = [statuses(servers, LIMIT - 2)[429] for servers in (one, other)]

    assert refused == [0, LIMIT - 2 - 2]
