"""Which of the engine's errors Airflow tries again, and how they look in the UI's log view."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from traceback import extract_tb

from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowTaskTimeout,
)

from onefold.errors import Busy, OnefoldError, Retriable
from onefold.foreign_text import described
from onefold.orchestration.tasks.log_view import log_lines

LOOK_AGAIN = timedelta(seconds=10)
"""How long a task that found its stream busy waits before it looks again."""

_OVER = (
    "This attempt has taken longer than a task may, and was ended: limits.load in the system's YAML for a load, else "
    "ONEFOLD_TASK_HOURS. What was committed stays, and the next attempt goes on after it. The lines above say what it "
    "was at: if it hung there, find out on what; if there really is so much to do, raise the limit."
)


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Raise the engine's errors as Airflow's, by what it is to do: Fatal and Rejected are not tried again, Retriable is
    by the DAG's retries, Busy costs none of them and no slot: the task is rescheduled.

    The text is logged before Airflow does it: an exception is one long line in the UI's log view. These errors are
    expected: none shows where in our code it was raised.
    """
    try:
        yield
    except Busy as busy:
        log_lines(logging.INFO, str(busy))
        raise AirflowRescheduleException(datetime.now(UTC) + LOOK_AGAIN) from None
    except AirflowTaskTimeout:
        log_lines(logging.ERROR, _OVER)
        raise AirflowTaskTimeout(_OVER) from None
    except OnefoldError as error:
        text = str(error)
        log_lines(logging.ERROR, text)
        if isinstance(error, Retriable):
            raise Retriable(text) from None
        raise AirflowFailException(text) from None
    except AirflowException:
        raise
    except Exception as error:  # noqa: BLE001 - it goes on, without its text
        text = unexpected(error)
        log_lines(logging.ERROR, text)
        raise UnexpectedError(text) from None


class UnexpectedError(Exception):
    """An error that nobody foresaw, in a form that may be written down. Airflow tries again as it does after any."""


def unexpected(error: Exception) -> str:
    """What an error of others is and where it was met: its own text may quote a record (int("…"), KeyError)."""
    places = [f"{Path(frame.filename).name}:{frame.lineno} ({frame.name})" for frame in extract_tb(error.__traceback__)]
    return (
        f"{type(error).__name__}, which is a mistake in Onefold, at {' > '.join(places[-6:])}. Its text is withheld, "
        f"since it may quote a record ({described(str(error)) or 'it has none'}). Please report it."
    )
