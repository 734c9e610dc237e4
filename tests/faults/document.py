"""docs/faults.md, from the result of the last whole run: `python -m tests.faults.document > docs/faults.md`."""

import json
import sys
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any, Final

from tests.faults.experiments import EXPERIMENTS, Experiment
from tests.rig.parts import ROOT

RESULT: Final = ROOT / "var" / "faults.json"
_HEAD: Final = """
# Fault experiments

    make faults                                # all, 6 minutes; a table on the terminal, and var/faults.json
    FAULTS_TIMES=10 make faults                # what is repeated, ten times as often
    .venv/bin/python -m tests.faults F-01 F-09 # some of them, by name

Each experiment starts real servers (nginx, gunicorn with two workers, and the stores that it names) on loopback, and
sends them open-loop traffic: 40 requests a second leave by schedule, 8 sign-ins and 32 session checks at the door, one
check in four with a session that has ended. Beside the schedule people sign out, change passwords and use one-time
links. The clients write every change that the service acknowledged into a ledger. Then something breaks. At the end
the service is compared with the ledger.

Three things hold in every experiment:

- **Nothing that was acknowledged is lost**: each open session works, each chosen password opens its account, each used
  link is spent. A change whose answer did not come happened wholly or not at all.
- **Nothing that has ended lets a request in**: no ended session, no replaced password, no used link, no disabled
  account; neither meanwhile nor afterwards.
- **It recovers by itself** within the stated time, to a second of traffic behind the last failed request, in which a
  sign-in succeeds and the 99th percentile of the checks is at most twice that of the seconds before the fault, and
  0.2 s.

A bound in seconds is meant for a machine that does nothing else. On a busy one it is as many times longer as other
programs slow this one down, measured at that moment; the table says so. `make faults` ends with 1 when one criterion
fails. `python -m tests.faults.document` writes this file from the last run of each.
"""


def main() -> None:
    """Print the document."""
    sys.stdout.write("\n".join(_lines(json.loads(RESULT.read_text()))) + "\n")


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    machine, versions = result["machine"], result["versions"]
    found = result["experiments"]
    kernel = " ".join(machine["system"].split("-")[:2])
    day = max(each["day"] for each in found.values())
    yield cleandoc(_HEAD)
    yield "\n## What they found\n"
    yield (
        f"{machine['processors']} cores of an {machine['processor']}, {kernel}, "
        f"Python {versions['python']}, nginx {versions['nginx']}, SQLite {versions['sqlite']}; {day}.\n"
    )
    yield "| | what happens | as before after | holds |"
    yield "| --- | --- | --- | --- |"
    for each in EXPERIMENTS:
        yield _row(each, found[each.name])
    for each in EXPERIMENTS:
        yield from _section(each, found[each.name])


def _row(experiment: Experiment, found: Mapping[str, Any]) -> str:
    back = "" if found["back_after"] is None else f"{found['back_after']:.1f} s"
    busy = f" (machine {found['busy']:g} times slower)" if found["busy"] > 1 else ""
    holds = "did not run" if found["did_not_run"] else "yes" if found["holds"] else "**no**"
    return f"| {experiment.name} | {experiment.what} | {back}{busy} | {holds} |"


def _section(experiment: Experiment, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n## {experiment.name}\n"
    yield experiment.explained
    if found["did_not_run"]:
        yield f"\nIt did not run: {found['did_not_run']}."
        return
    yield ""
    yield "| criterion | found | |"
    yield "| --- | --- | --- |"
    for each in found["criteria"]:
        yield f"| {each['what']} | {each['found'].replace('|', '/')} | {'holds' if each['holds'] else '**fails**'} |"
    if found["beside"]:
        beside = "; ".join(found["beside"])
        yield f"\n{beside[0].upper()}{beside[1:]}."


if __name__ == "__main__":
    main()
