"""The hooks as the catalogue and the connections say them now: a secret that is rolled, and a hook that is new, hold
without a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from onefold.errors import OnefoldError, raised_at
from onefold.receive.hooks import Hook, Hooks, Name

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds after which they are read anew: so long a secret that was taken out may still be accepted."""
AT_MOST_EVERY = 5.0
"""Seconds between two readings for requests that are to be refused, however many there are."""
WAIT = 3.0
"""Seconds that such a request waits for a reading: senders wait for 3 to 10 seconds."""


class LiveHooks:
    """What `read` gave last. It is called in a thread, since it asks Airflow's secrets backends.

    Where it fails, for all hooks or one, what is known stays, and `problem` says why.
    """

    def __init__(self, read: Callable[[], Hooks], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._hooks = read()
        self._read_at = clock()
        self._reading: asyncio.Task[None] | None = None
        self.problem = _problem_of(self._hooks)

    @property
    def known(self) -> Hooks:
        """The hooks of the last reading."""
        return self._hooks

    async def get_anew(self, name: Name) -> Hook | None:
        """The hook after a reading, for a request that is refused by what is known."""
        if self._reading is not None or self._clock() - self._read_at >= AT_MOST_EVERY:
            await asyncio.wait({self._start()}, timeout=WAIT)
        return self._hooks.get(name)

    async def keep_up(self) -> None:
        """Read them anew from time to time, until this is cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.wait({self._start()})

    def _start(self) -> asyncio.Task[None]:
        """The reading that is under way, or a new one."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._update())
        return self._reading

    async def _update(self) -> None:
        problem: str | None = None
        (read,) = await asyncio.gather(asyncio.to_thread(self._read), return_exceptions=True)
        if isinstance(read, OnefoldError):
            problem = str(read)
        elif isinstance(read, BaseException):  # of a secrets backend, whose words may quote a secret
            problem = f"{type(read).__name__} in {raised_at(read)}"
        else:
            known = self._hooks
            self._hooks = {name: known.get(name, hook) if hook.problem else hook for name, hook in read.items()}
            problem = _problem_of(read)
        self._read_at, self._reading = self._clock(), None
        if problem and problem != self.problem:
            log.warning("Not every hook could be read anew; what is known of it stays: %s", problem)
        self.problem = problem


def _problem_of(hooks: Hooks) -> str | None:
    """Of the first that has one."""
    return next((hook.problem for hook in hooks.values() if hook.problem), None)
