"""The cases of backups. promtool's time begins at 0, so a backup of before has a negative one."""

from typing import Final

from tests.observability.case import WARNING, Case
from tests.observability.series import BACKUP

_OTHER_REPLICA: Final = BACKUP.replace('"a"', '"b"')

FIRING: Final = (
    Case(
        "the last backup is 36 hours old in minute 10",
        {BACKUP: "-129000x90"},
        {("VestibuleBackupOverdue", WARNING): 71},
        minutes=90,
    ),
)
SILENT: Final = (
    Case(
        "the backup of the night failed, and is made at noon; one replica reads that later",
        {BACKUP: "-129000x50 3000x50", _OTHER_REPLICA: "-129000x60 3000x40"},
        spares=frozenset({"VestibuleBackupOverdue"}),
        minutes=100,
    ),
)
