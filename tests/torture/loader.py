"""A process that loads in one task, as Airflow's workers do; it can be killed at any moment."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Self

from onefold.errors import OnefoldError, Retriable
from onefold.load import steps
from onefold.load.job import Job
from tests.torture.wire import Act, Moment, Order, Wire

STEPS = {"land": steps.land, "gate": steps.gate, "publish": steps.publish}


class Forked:
    """Some work in a process of its own. It gets the writing end of a pipe, on which it says a line at each step, and
    returns how it ended.

    `step` is the step that it was in when it ended; `end` is what it returned, or "killed".
    """

    def __init__(self, work: Callable[[int], str], first_step: str = "") -> None:
        self.step, self.end = first_step, ""
        self.orders: list[Order] = []
        self._said = b""
        self._reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._reading)
                os.write(writing, work(writing).replace("\n", " ").encode())
                os._exit(0)
            finally:  # never back into pytest
                os._exit(3)
        os.close(writing)

    def carry(self, wire: Wire, moment: Moment | None = None, act: Act = lambda: False) -> Self:
        """Let it run to its end, whatever that is, all that it says to PostgreSQL going over the wire."""
        self.orders, self._said = wire.carry(self._reading, moment, act)
        return self._ended()

    def wait(self, seconds: float = 60) -> bool:
        """Whether it has come to its end within so many seconds."""
        deadline = time.monotonic() + seconds
        while select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
            if not (more := os.read(self._reading, 65536)):
                self._ended()
                return True
            self._said += more
        return False

    def kill(self) -> bool:
        os.kill(self._pid, signal.SIGKILL)
        os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)  # so that nothing comes out of it any more
        return False

    def _ended(self) -> Self:
        os.close(self._reading)
        _, status = os.waitpid(self._pid, 0)
        *begun, self.end = self._said.decode().split("\n")
        self.step = begun[-1] if begun else self.step
        if os.WIFSIGNALED(status):
            self.end = "killed"
        assert self.end, "the process ended without a word"
        return self


class Loading(Forked):
    """A load in a process of its own: `steps.run`, or only the steps in `names`, each by itself.

    With `patience`, what fails with a Retriable is tried again for so many seconds. `end` is "done", "killed", or the
    error's class and text.
    """

    def __init__(self, job: Job, names: Sequence[str] = tuple(STEPS), patience: float = 0) -> None:
        super().__init__(lambda writing: _run(job, names, writing, time.monotonic() + patience), names[0])


def said_of(do: Callable[[], object]) -> str:
    """What a process says at its end: "done", or the error's class and text."""
    try:
        do()
        return "done"
    except OnefoldError as error:
        return f"{type(error).__name__}: {error}"
    except BaseException as error:  # noqa: BLE001  the test must see that it was none of ours
        return f"not ours: {type(error).__name__}: {error}"


def _run(job: Job, names: Sequence[str], writing: int, deadline: float) -> str:
    @contextmanager
    def observe(step: str) -> Iterator[None]:
        os.write(writing, f"{step}\n".encode())
        yield

    def load() -> None:
        if tuple(names) == tuple(STEPS):
            _persist(lambda attempt: steps.run(replace(job, is_retry=job.is_retry or attempt > 0), observe), deadline)
        else:
            for name in names:
                with observe(name):
                    _persist(lambda attempt, step=STEPS[name]: step(job), deadline)

    return said_of(load)


def _persist(do: Callable[[int], object], deadline: float) -> None:
    """Do it, again while it fails with a Retriable and the deadline has not passed; it gets the attempt's number."""
    for attempt in count():
        try:
            do(attempt)
            return
        except Retriable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
