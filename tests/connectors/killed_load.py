"""Loads in processes of their own that are killed: each at a moment of its own, or at any."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg

from onefold.connectors.inbox import Inbox
from onefold.errors import Retriable
from onefold.load import audit_and_lineage, steps
from onefold.load.job import Job
from tests.doomed import PATIENCE
from tests.kills import count_kill

FORK = multiprocessing.get_context("fork")
MOMENTS = ("any moment", "committing", "gated", "published", "confirmed")
"""What a load has just done; `confirmed`: it has told the source what is published."""
FROM_COMMIT_ON = ("committing", "published", "confirmed")


def kill_loads(
    number: int,
    dice: random.Random,
    prepare: Callable[[], Job],
    go_on: Callable[[Job], object],
    moments: tuple[str, ...] = MOMENTS,
) -> None:
    """Kill so many loads, at each moment in turn. `prepare` makes something to load and the job that will load it;
    after the last kill, and every second one before, `go_on` tries the killed job again or loads by another. At least
    half of the kills hit a load that commits or has committed."""
    seconds, kills = 0.5, Counter[str]()
    for when in itertools.cycle(moments):
        job = prepare()
        kills[when] += killed(job, when, dice.uniform(0, seconds))
        over = kills.total() == number
        if over or dice.random() < 0.5:
            began = time.monotonic()
            load_when_free(partial(go_on, job))
            seconds = time.monotonic() - began
        if over:
            break
    assert 2 * sum(kills[when] for when in FROM_COMMIT_ON) >= number, kills


def load_when_free(load: Callable[[], object]) -> None:
    """Load, once the servers have noticed that a killed load is gone."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            load()
        except Retriable:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def killed(job: Job, when: str, seconds: float) -> bool:
    """Whether the load was killed before it had ended: at a moment of its own, or after so many seconds."""
    process = FORK.Process(target=_load, args=(job, when))
    process.start()
    process.join(seconds if when == "any moment" else None)
    if process.is_alive():
        process.kill()
    process.join()
    if process.exitcode != -signal.SIGKILL:
        return False
    count_kill("load", "process")
    return True


def _load(job: Job, when: str) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def then_die(step: Callable[..., object]) -> Callable[..., None]:
        def stepped(*given: object, **more: object) -> None:
            step(*given, **more)
            die()

        return stepped

    record_published = audit_and_lineage.record_published

    def commit(connection: psycopg.Connection, *given: Any) -> None:
        """Nobody is there any more when the server has done it."""
        record_published(connection, *given)
        connection.pgconn.send_query(b"commit")
        connection.pgconn.flush()

    if when == "stored":
        Inbox.store = then_die(Inbox.store)
    elif when == "gated":
        steps.publishing.publish = die
    elif when == "committing":
        audit_and_lineage.record_published = then_die(commit)
    elif when == "published":
        steps.publishing.publish = then_die(steps.publishing.publish)
    elif when == "confirmed":
        steps._publish = then_die(steps._publish)
    steps.run(job)
    os._exit(0)
