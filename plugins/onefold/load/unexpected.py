"""What nobody foresaw, as errors of ours: by its class and by where it was raised, never in its own words.

The words of a ValueError or a KeyError quote the value that it fell over, so they go nowhere.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.warehouse.db_errors import as_onefold_error

log = logging.getLogger(__name__)

FRAMES = 6
"""Of a traceback; that of a RecursionError has a thousand."""
_PASSING = (MemoryError, OSError)


@contextmanager
def classify_unexpected(where: str) -> Iterator[None]:
    """Raise what leaves the block as an error of ours. `where` names what was being done: a stream.

    The last frames of its traceback are logged: file, line and function. Exceptions that are no Exception (the
    scheduler's time limit, Ctrl-C) pass.
    """
    try:
        yield
    except (OnefoldError, psycopg.Error):
        raise
    except Exception as error:  # noqa: BLE001  the one place that is there for what nobody foresaw
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        for frame in frames:
            place = (frame.filename, frame.lineno, frame.name)
            log.error("%s: %s at %s, line %s, in %s", where, type(error).__name__, *place)  # noqa: TRY400  no values
        raise _ours(error, frames, where).with_traceback(error.__traceback__) from None


def as_failure(error: BaseException, where: str) -> OnefoldError:
    """The error to write into the ledger: what the block was left with, also when somebody else ended it."""
    if isinstance(error, OnefoldError):
        return error
    if isinstance(error, psycopg.Error):
        return as_onefold_error(error, where)
    return Retriable(
        f"{where}: it was ended from outside ({type(error).__name__}): by its time limit, or by somebody who "
        "stopped it. What has been read is there; the next attempt goes on after it."
    )


def _ours(error: Exception, frames: list[traceback.FrameSummary], where: str) -> Retriable | Fatal:
    name = type(error).__name__
    at = f" at {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    if isinstance(error, MemoryError):
        return Retriable(
            f"{where}: the memory of this machine was used up ({name}{at}). Let fewer loads run at once, or ask for "
            "smaller pages or a shorter window; nothing was published."
        )
    if isinstance(error, _PASSING):
        return Retriable(
            f"{where}: this machine could not do it ({name}{at}). See its disk, its open files and its network, then "
            "run it again; nothing was published."
        )
    return Fatal(
        f"{where}: something came that Onefold does not foresee ({name}{at}). Nothing was published. The task's log "
        "has the lines that led there and no value: report it with them; the next run tries again from the same place."
    )
