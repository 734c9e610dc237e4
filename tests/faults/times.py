"""How long the experiments take: FAULTS_TIMES=10 repeats what is repeated ten times as often."""

import os
from typing import Final

TIMES: Final = int(os.environ.get("FAULTS_TIMES", "1"))
