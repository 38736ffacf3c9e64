"""A load in a process of its own that is killed: at a moment of its own, or at any."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable

from onefold.load import steps
from onefold.load.job import Job
from tests.kills import count_kill

FORK = multiprocessing.get_context("fork")
MOMENTS = ("any moment", "published, not confirmed", "gated", "confirmed")


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

    if when == "published, not confirmed":
        steps._confirm = die
    elif when == "confirmed":
        steps._confirm = then_die(steps._confirm)
    elif when == "gated":
        steps.require_publishable = die
    steps.run(job)
    os._exit(0)
