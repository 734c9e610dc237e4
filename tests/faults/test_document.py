"""docs/faults.md speaks of the experiments that there are."""

import re

from tests.faults.experiments import EXPERIMENTS
from tests.house_rules.project import read


def test_the_document_has_a_row_for_each_experiment() -> None:
    """Names and sentences are those of `make faults`; a new experiment needs a whole run that is written down."""
    rows = re.findall(
        r"^\| (\S+) \| (.+?) \| .*? \| (?:yes|did not run|\*\*no\*\*) \|$", read("docs/faults.md"), re.MULTILINE
    )

    assert rows == [(each.name, each.what) for each in EXPERIMENTS]
