"""An application during whose loading its master gets a SIGTERM inside a finalizer, where Python drops exceptions."""

import os
import signal
import time

from tests.edge.echo import application

__all__ = ["application"]


class _Finalized:
    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)  # the handler runs at the latest here


_Finalized()
