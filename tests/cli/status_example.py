"""The example of `vestibule status` in the documents: an attack on an ordinary evening, as text and as a picture.

`.venv/bin/python -m tests.cli.status_example` writes the picture, docs/status.svg.
"""

import re
from collections import Counter
from typing import Final
from xml.sax.saxutils import escape

from service import RELEASE
from service.cli.status.judging import Apps, Seen, judged
from service.cli.status.output import Report, screen
from service.cli.status.service_state import ServiceState
from service.login.attempts import Limit, Scope, Tally
from service.services.store_state import Answer, SignIns, StoreState, Tables
from tests.rig.parts import ROOT

PICTURE: Final = ROOT / "docs/status.svg"
_AT: Final = 1_795_975_331  # 2026-11-29 18:02:11 UTC
_FONT, _WIDTH, _HEIGHT, _MARGIN = 14, 8.43, 20, 16
_COLOURS: Final = {"32": "#3fb950", "33": "#d29922", "31": "#f85149"}
_STYLED: Final = re.compile(r"((?:\x1b\[\d+m)+)(.*?)\x1b\[0m")
_THROTTLES: Final = {Scope.NETWORK: Limit(100, 900), Scope.ACCOUNT: Limit(50, 3600)}
_WORKERS: Final = {"vestibule_workers": 2, "vestibule_workers_configured": 2, "vestibule_hash_queue_length": 2}
EVENING: Final = Seen(
    StoreState(
        database=Answer("PostgreSQL 15.18", 0.0002),
        counters=Answer("Redis", 0.0001),
        tables=Tables("0004", "0004", "0.1.0"),
        sign_ins=SignIns(12, 9, 1),
        sign_ins_day_before=SignIns(14, 2),
        networks=(Tally("198.51.100.7/32", None, 87, _AT), Tally("203.0.113.20/32", None, 5, _AT)),
        accounts=(Tally("d" * 32, "alice", 9, _AT),),
        last_backup=_AT - 9 * 3600,
    ),
    ServiceState(1, (), 0.0019, frozenset({RELEASE}), Counter(_WORKERS)),
    Apps(3),
    _THROTTLES,
    "https://login.example.org",
    _AT,
)


def text() -> str:
    """Return the example as the documents show it."""
    return re.sub(r"\x1b\[\d+m", "", "\n".join(_shown()))


def picture() -> str:
    """Return the example as a terminal shows it, as SVG."""
    lines = ["$ vestibule status", *_shown()]
    width, height = 80 * _WIDTH + 2 * _MARGIN, len(lines) * _HEIGHT + 2 * _MARGIN
    fonts = "ui-monospace, Menlo, Consolas, monospace"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">',
            '<rect width="100%" height="100%" rx="8" fill="#161b22"/>',
            f'<g font-family="{fonts}" font-size="{_FONT}" fill="#e6edf3">',
            *(_line(number, line) for number, line in enumerate(lines) if line),
            "</g>\n</svg>\n",
        )
    )


def _shown() -> list[str]:
    shown = screen(Report(EVENING.public_url, EVENING.now, list(judged(EVENING))))
    return [line.replace(RELEASE, "0.1.0") for line in shown]  # so that a release changes no document


def _line(number: int, line: str) -> str:
    """Return one line, as wide as its characters are in any font of one width."""
    length = len(re.sub(r"\x1b\[\d+m", "", line)) * _WIDTH
    where = f'x="{_MARGIN}" y="{_MARGIN + number * _HEIGHT + _FONT}" textLength="{length:.0f}"'
    words = escape(line).replace(" ", "\N{NO-BREAK SPACE}")  # other spaces would shrink to one
    return f"<text {where}>{_STYLED.sub(_tspan, words)}</text>"


def _tspan(found: re.Match[str]) -> str:
    codes = re.findall(r"\d+", found[1])
    colour = "".join(f' fill="{_COLOURS[code]}"' for code in codes if code in _COLOURS)
    weight = ' font-weight="bold"' if "1" in codes else ""
    return f"<tspan{colour}{weight}>{found[2]}</tspan>"


if __name__ == "__main__":
    PICTURE.write_text(picture())
