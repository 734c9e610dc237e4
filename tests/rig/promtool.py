"""What promtool, with Prometheus' own parsers, says of rules, queries and scrapes: nothing where all is right."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.rig.parts import need


def complaints(*arguments: str | Path, text: str = "") -> str:
    """Return what promtool says against its input; an empty text where it succeeds."""
    command = [need("promtool"), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def complaints_of_queries(queries: Sequence[str], scratch: Path) -> str:
    """Return what the parser says against queries; `scratch` is a file for them."""
    rules = [{"record": "query", "labels": {"number": str(n)}, "expr": query} for n, query in enumerate(queries)]
    scratch.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))  # JSON is YAML
    return complaints("check", "rules", scratch)
