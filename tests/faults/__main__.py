"""Try, show, write. Stops its servers however it ends; exit code 1 when a criterion fails, 2 for an unknown name."""

import contextlib
import datetime as dt
import json
import signal
import sys
import time
import traceback
from typing import Final

import pytest

from tests.bench import machine
from tests.faults.experiments import EXPERIMENTS, Experiment
from tests.faults.findings import Findings
from tests.faults.times import TIMES
from tests.rig.parts import ROOT

RESULT: Final = ROOT / "var" / "faults.json"


def main(asked: list[str]) -> int:
    """Try the experiments that were asked for, or all."""
    if unknown := set(asked) - {each.name for each in EXPERIMENTS}:
        sys.stderr.write(
            f"no such experiment: {' '.join(unknown)}; there are {' '.join(e.name for e in EXPERIMENTS)}\n"
        )
        return 2
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, _frame: sys.exit(128 + number))
    began, facts, versions = time.monotonic(), machine.machine(), machine.versions()
    rows = {}
    for each in EXPERIMENTS:
        if not asked or each.name in asked:
            rows[each.name] = row(each, tried(each))
            _write(_earlier() | rows, times=TIMES, machine=facts, versions=versions)
    failed = [name for name, found in rows.items() if not found["holds"]]
    sys.stdout.write(f"\nexperiments: {len(rows)}, in {time.monotonic() - began:.0f} s; ")
    sys.stdout.write(f"failed: {' '.join(failed)}\n" if failed else "all hold\n")
    return 1 if failed else 0


def tried(experiment: Experiment) -> Findings:
    """Run one, and show what it found. One that breaks off fails; one that cannot be tried here says why."""
    findings, began = Findings(), time.monotonic()
    sys.stdout.write(f"\n{experiment.name} {experiment.what}\n")
    sys.stdout.flush()
    try:
        experiment.run(findings)
    except pytest.skip.Exception as why:
        findings.skipped = str(why)
    except (Exception, pytest.fail.Exception) as fault:  # noqa: BLE001 - the others go on
        traceback.print_exc()
        said = f"{type(fault).__name__}: {fault}".replace(f"{ROOT}/", "")[:300]
        findings.check("the experiment comes to its end", said, holds=False)
    for each in findings.criteria:
        sys.stdout.write(f"  {'holds' if each.holds else 'FAILS'}  {each.what}: {each.found}\n")
    sys.stdout.writelines(f"         {each}\n" for each in findings.beside)
    took = time.monotonic() - began
    sys.stdout.write(f"  did not run: {findings.skipped}\n" if findings.skipped else f"  {took:.0f} s\n")
    sys.stdout.flush()
    return findings


def row(experiment: Experiment, found: Findings) -> dict[str, object]:
    """Return what is written of one."""
    return {
        "day": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "what": experiment.what,
        "holds": found.holds,
        "did_not_run": found.skipped,
        "back_after": found.back_after,
        "busy": round(found.busy, 1),
        "criteria": [{"what": each.what, "found": each.found, "holds": each.holds} for each in found.criteria],
        "beside": found.beside,
    }


def _earlier() -> dict[str, object]:
    """Return the rows of earlier runs, so that one experiment can be tried again."""
    known = json.loads(RESULT.read_text())["experiments"] if RESULT.exists() else {}
    return {each.name: known[each.name] for each in EXPERIMENTS if each.name in known}


def _write(rows: dict[str, object], **circumstances: object) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({**circumstances, "experiments": rows}, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(128 + signal.SIGINT)
