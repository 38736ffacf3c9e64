"""How much CPU time a load takes in the process that runs it."""

from __future__ import annotations

import time


class CpuTime:
    """CPU seconds of this process, all its threads, that no load has been charged with yet.

    What PostgreSQL and the source spend is theirs, and is not in it.
    """

    def __init__(self) -> None:
        self._charged_to = time.process_time()

    def restart(self) -> None:
        """What the process has done so far was not for the load that follows."""
        self._charged_to = time.process_time()

    @property
    def uncharged(self) -> float:
        """Seconds since the last charge that was committed."""
        return time.process_time() - self._charged_to

    def charge(self, seconds: float) -> None:
        """So many of them are committed to the ledger."""
        self._charged_to += seconds
