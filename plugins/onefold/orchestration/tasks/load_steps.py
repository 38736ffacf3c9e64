"""A whole load in one task: each step a group of the task's log, and named where it fails."""

from __future__ import annotations

from collections.abc import Callable

from onefold.errors import Busy, Fatal, Rejected, Retriable
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.steps import Observer
from onefold.orchestration.tasks.log_view import log_group

Run = Callable[[Job, Observer], Load]

_TRIES_AGAIN = "The task tries again soon and goes on with this step."
_ENDS = "The task does not try again: clear it once the cause is gone."


def load_in_steps(job: Job, run: Run = steps.run) -> Load:
    """Land, gate and publish what the job asks for; returns the published load.

    Raises the engine's errors. Their text begins with the step that failed; that of Retriable ends with what the task
    does next.
    """
    try:
        return run(job, log_group)
    except Busy:
        raise
    except Retriable as error:
        raise Retriable(f"{_failed(error.step)}{error} {_ENDS if job.last_attempt else _TRIES_AGAIN}") from error
    except Rejected as error:
        raise Rejected(f"{_failed(error.step)}{error}") from error
    except Fatal as error:
        raise Fatal(f"{_failed(error.step)}{error}") from error


def _failed(step: str | None) -> str:
    return f"Step {step} failed. " if step else ""
