"""Renew the picture of an alert that arrived: `.venv/bin/python -m tests.observability.picture`.

The attack is real, and what is drawn is what the real Alertmanager sent: the alert's labels, summary and description.
"""

from html import escape
from itertools import count
from typing import Any, Final

from tests.dashboards.pictures import FOLDER, photograph
from tests.observability.case import WARNING
from tests.observability.installation import installed
from tests.rig.postgres import running as run_postgres
from tests.rig.redis import running as run_redis
from tests.stories.screenshots import shrink

GUESSES: Final = 12
_PAGE: Final = """<!doctype html><meta charset="utf-8"><style>
*{{box-sizing:border-box;margin:0}}
body{{width:760px;padding:28px;background:#f4f1ea;color:#26231d;font:15px/1.5 Inter,Arial,"DejaVu Sans",sans-serif}}
article{{background:#fff;border:1px solid #ddd6c8;border-left:6px solid #c77d0a;border-radius:6px;padding:20px 24px}}
header{{display:flex;gap:12px;align-items:baseline;color:#6d6658;font-size:13px}}
header b{{background:#c77d0a;color:#fff;border-radius:3px;padding:1px 8px;font-weight:600}}
header i{{margin-left:auto;font-style:normal}}
h1{{font-size:20px;font-weight:600;margin:10px 0 6px}}a{{color:#8a5200}}p+p{{margin-top:12px}}
dl{{display:flex;gap:8px;margin-top:16px;font:12.5px "DejaVu Sans Mono",monospace;color:#6d6658}}
dl div{{background:#f4f1ea;border-radius:3px;padding:2px 8px}}
</style><article><header><b>{status}</b><span>to {receiver}</span><i>{at} UTC</i></header>
<h1>{summary}</h1><p>{description}</p><p><a href="{runbook}">{runbook}</a></p><dl>{labels}</dl></article>"""


def drawn(receiver: str, alert: dict[str, Any]) -> str:
    """Return a page with one alert."""
    words = {name: escape(text) for name, text in alert["annotations"].items()}
    labels = "".join(f"<div>{escape(name)}={escape(value)}</div>" for name, value in sorted(alert["labels"].items()))
    return _PAGE.format(
        status=escape(alert["status"]),
        receiver=escape(receiver),
        at=alert["startsAt"][:16].replace("T", " "),
        summary=words["summary"],
        description=words["description"],
        runbook=words["runbook_url"],
        labels=labels,
    )


def main() -> None:
    """Guess passwords until the alert arrives, and take its picture."""
    addresses = map("127.0.1.{}".format, count(1))
    with run_postgres() as postgres, run_redis() as redis, installed(postgres, redis) as installation:

        def attack() -> None:
            address = next(addresses)
            for guess in range(GUESSES):
                installation.sign_in(f"name{guess}", "guess", address=address)

        installation.arrives(("mail", "VestibuleBruteForce", WARNING), meanwhile=attack)
        receiver, alert = next(
            each
            for each in installation.monitoring.inbox.messages
            if each[1]["labels"]["alertname"] == "VestibuleBruteForce"
        )
    picture = FOLDER / "alert.png"
    photograph(drawn(receiver, alert), picture, width=760)
    shrink([picture])


if __name__ == "__main__":
    main()
