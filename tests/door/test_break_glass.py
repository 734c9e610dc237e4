"""The one way past the door: what docs/operating.md has an operator type while the service is down."""

import http.client
import json
import re
import shlex
import signal
import subprocess
from typing import Final

from tests.door.guarded import SIGNED_IN, Guarded, guarded
from tests.house_rules.project import read

_COMMAND: Final = re.compile(r"^sed -i .* /var/lib/vestibule/nginx/apps/wiki\.conf$", re.MULTILINE)


def _asked_from(address: str, it: Guarded, app: str) -> tuple[int, bytes]:
    """Ask from one of this machine's addresses; return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", it.ports[app], 20, source_address=(address, 0))
    connection.request("GET", "/", headers={"Remote-User": "alice", "Host": f"localhost:{it.ports[app]}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_one_app_is_opened_to_one_address() -> None:
    """It answers the address that was named, tells no user, and refuses others; other apps stay shut until a render."""
    (command,) = _COMMAND.findall(read("docs/operating.md"))
    with guarded({"wiki": SIGNED_IN, "staff": SIGNED_IN}, people=()) as it:
        own = it.servers
        own.end("gunicorn")
        words = command.replace("192.0.2.7", "127.0.0.1").replace("/var/lib/vestibule/nginx", str(own.nginx_dir))
        shut = _asked_from("127.0.0.1", it, "wiki")[0]
        subprocess.run(shlex.split(words), check=True)
        own.processes["nginx"].send_signal(signal.SIGHUP)
        opened = list[bytes]()

        def answers() -> bool:  # nginx's old workers may take some connections more
            status, body = _asked_from("127.0.0.1", it, "wiki")
            opened.append(body)
            return status == 200

        own.wait_until(answers, "the app answers")

        told = {name.lower(): value for name, value in json.loads(opened[-1])["headers"]}
        others = _asked_from("127.0.0.2", it, "wiki")[0], _asked_from("127.0.0.1", it, "staff")[0]
        own.render()
        own.processes["nginx"].send_signal(signal.SIGHUP)
        own.wait_until(lambda: _asked_from("127.0.0.1", it, "wiki")[0] == 503, "the question is back")

    assert shut == 503
    assert told.get("remote-user", "") == ""
    assert all(status in {403, 502, 503} for status in others), others
