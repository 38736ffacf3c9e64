"""Which of the engine's errors Airflow tries again, and how they look in the UI's log view."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException

from onefold.errors import Busy, Fatal, OnefoldError, Rejected

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=10)
"""How long a task that found its stream busy stays out of the way before it looks again."""


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Fatal and Rejected must not be tried again by Airflow; Retriable is, by the DAG's retries. Busy uses none of them
    up: the task is put off for a while, and holds no slot meanwhile.

    What an error says is logged first, in lines that fit the UI's log view: an exception's text is one long line there.
    """
    try:
        yield
    except Busy as busy:
        log_lines(logging.INFO, str(busy))
        raise AirflowRescheduleException(datetime.now(UTC) + LOOK_AGAIN) from busy
    except OnefoldError as error:
        log_lines(logging.ERROR, str(error))
        if isinstance(error, Rejected):  # it is about the data: where in our code it was found helps nobody
            raise AirflowFailException(str(error)) from None
        if isinstance(error, Fatal):
            raise AirflowFailException(str(error)) from error
        raise


def log_lines(level: int, text: str) -> None:
    """Log a text in lines that fit the UI's log view."""
    for line in textwrap.wrap(text, 88):
        log.log(level, line)
