"""Work in a process of its own that can be killed at any moment, as the operating system kills one."""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
from collections.abc import Callable

import psycopg

PATIENCE = 60
"""Seconds after which what has not happened never will."""


class Doomed:
    """The work begins at once, in a copy of this process."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.began = time.monotonic()
        self._reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._reading)
                work()
                os.write(writing, b"done")
                os._exit(0)
            except BaseException:  # noqa: BLE001  the test is told what it was
                os.write(writing, traceback.format_exc().encode())
            finally:  # never back into pytest
                os._exit(3)
        os.close(writing)

    def end(self) -> float:
        """Wait until it has ended; how many seconds it took. Fails the test when the work has failed."""
        assert self._ends_within(PATIENCE), f"still at work after {PATIENCE} s"
        seconds = time.monotonic() - self.began
        assert not self._buried(), "somebody else has killed it"
        return seconds

    def kill_after(self, seconds: float) -> bool:
        """Kill it so many seconds after its beginning; whether it was still at work then. Fails the test when it had
        failed before."""
        self._ends_within(seconds - (time.monotonic() - self.began))
        os.kill(self._pid, signal.SIGKILL)
        return self._buried()

    def _ends_within(self, seconds: float) -> bool:
        return bool(select.select([self._reading], [], [], max(0.0, seconds))[0])

    def _buried(self) -> bool:
        """Whether a signal has ended it. What it has said last fails the test, unless it is that it is done."""
        _, status = os.waitpid(self._pid, 0)
        with os.fdopen(self._reading, "rb") as said:
            last = said.read().decode()
        assert last in ("", "done"), last
        return os.WIFSIGNALED(status) and last == ""


def wait_until_its_sessions_are_gone(url: str, keep: psycopg.Connection) -> None:
    """A killed client's session rolls back and lets go of its locks by itself, a moment later; `keep` is our own."""
    deadline = time.monotonic() + PATIENCE
    others = (
        "select from pg_stat_activity where datname = current_database() and backend_type = 'client backend'"
        " and pid <> all(%s)"
    )
    with psycopg.connect(url, autocommit=True) as looking:
        ours = [looking.info.backend_pid, keep.info.backend_pid]
        while looking.execute(others, (ours,)).fetchone():
            assert time.monotonic() < deadline, "sessions of the killed process are still there"
            time.sleep(0.005)
