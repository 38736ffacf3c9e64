"""What PostgreSQL refuses, as errors classed by what to do about them.

Of the server's words only those are repeated that cannot quote a row: its message where it speaks of the machine or the
session, elsewhere no more than the names of what it concerns. DETAIL and CONTEXT quote rows and are never shown, so the
driver's error is not kept as the cause either; its traceback is.

SQLSTATEs: postgresql.org/docs/18/errcodes-appendix.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import psycopg2

from onefold.errors import Fatal, Retriable

DriverError = psycopg.Error | psycopg2.Error
"""Ours, and the one below Great Expectations' SQLAlchemy."""


@dataclass(frozen=True, slots=True)
class _Case:
    kind: type[Retriable | Fatal]
    what: str
    remedy: str


_CONNECTION_LOST = _Case(
    Retriable,
    "the connection to the warehouse was lost",
    "What had not been committed is rolled back. See whether PostgreSQL is up with bin/onefold status, and in its log "
    "why it ended; the next attempt continues from what was committed.",
)
_DISK_FULL = _Case(
    Retriable,
    "the disk (or quota) of the PostgreSQL server is full",
    "Free space where PostgreSQL keeps its data: a load needs its pages and what it publishes. Then try again.",
)
_WRITE_CONFLICT = _Case(
    Retriable, "another session changed the same rows at the same moment", "Try again: nothing of this was committed."
)
_CASES: dict[str, _Case] = {
    "08": _CONNECTION_LOST,
    "57P01": _CONNECTION_LOST,  # the administrator ended the session or the server
    "57P02": _CONNECTION_LOST,  # another session's process crashed
    "57P03": _CONNECTION_LOST,  # starting up, shutting down
    "57P05": _CONNECTION_LOST,  # idle_session_timeout
    "25P03": _CONNECTION_LOST,  # idle_in_transaction_session_timeout
    "25P04": _CONNECTION_LOST,  # transaction_timeout
    "53100": _DISK_FULL,
    "53200": _Case(
        Retriable,
        "PostgreSQL ran out of memory",
        "Let fewer loads run at once, or lower work_mem or raise the server's memory; then try again.",
    ),
    "53300": _Case(
        Retriable,
        "PostgreSQL has no connection left",
        "Try again when other loads have ended; if it recurs, raise max_connections or let fewer tasks run at once.",
    ),
    "53400": _Case(
        Fatal,
        "a limit set in PostgreSQL was exceeded",
        "Raise the limit that it names (show it with `show temp_file_limit`), or load a smaller window.",
    ),
    "53": _Case(Retriable, "PostgreSQL is short of resources", "See its log for which, then try again."),
    "57014": _Case(
        Retriable,
        "a statement was cancelled",
        "If by statement_timeout: find what it waited for in pg_stat_activity, or raise the timeout of the role "
        "(alter role onefold_loader set statement_timeout to …). Then try again.",
    ),
    "55P03": _Case(
        Retriable,
        "a lock was not free in time",
        "Another session holds it: find it in pg_locks (somebody's open transaction?), end it, then try again.",
    ),
    "40": _WRITE_CONFLICT,
    "25006": _Case(
        Retriable,
        "the warehouse is read-only",
        "ONEFOLD_WAREHOUSE_URL points at a standby, or default_transaction_read_only is on: point it at the primary.",
    ),
    "42501": _Case(
        Fatal,
        "the role may not do this",
        "bin/onefold up grants what is missing; on your own server, python -m onefold.platform.container databases.",
    ),
    "58": _Case(
        Retriable,
        "the PostgreSQL server could not read or write a file",
        "Look at the server's disk and its log; try again once the disk works.",
    ),
    "XX001": _Case(Fatal, "PostgreSQL found damaged data", "Stop loading. Restore the warehouse from its backup."),
    "XX002": _Case(Fatal, "PostgreSQL found a damaged index", "Stop loading. Rebuild it with REINDEX, then try again."),
}
_FILE_EXTENDING = ("mdextend", "mdzeroextend")
"""Where the server makes a table's file longer. A quota or file size limit (EDQUOT, EFBIG) has no SQLSTATE of its own
there (src/backend/storage/smgr/md.c, errcode_for_file_access in utils/error/elog.c): it comes as XX000."""


_STATEMENT_ERRORS = "42"
"""Found while a statement is read, before any row is."""
_SESSION_ENDED = psycopg.OperationalError | psycopg2.OperationalError | psycopg2.InterfaceError


def as_onefold_error(error: DriverError, where: str) -> Retriable | Fatal:
    """The error to raise instead of the driver's; its text says what happened, where, and what to do next."""
    case = _case(error)
    if case is None:
        return Fatal(
            f"{where}: PostgreSQL refused a statement ({safe_message(error)}). It is a mistake in Onefold or in the "
            "warehouse: bin/onefold up upgrades the schema; if it stays, report it with this text, which quotes no row."
        )
    return case.kind(f"{where}: {case.what} ({safe_message(error)}). {case.remedy}")


def safe_message(error: DriverError) -> str:
    """What may be repeated of the server's words: they quote no row."""
    state = _state(error)
    if state is None:  # libpq's words on a session that broke off; of any other mistake only its kind
        return str(error).strip().split("\n")[0] if _case(error) else type(error).__name__
    if _case(error) or state.startswith(_STATEMENT_ERRORS):
        return f"SQLSTATE {state}: {error.diag.message_primary}"
    parts = [f"SQLSTATE {state}", type(error).__name__]
    kinds = ("schema", "table", "column", "constraint")
    parts.extend(f"{kind} {name}" for kind in kinds if (name := getattr(error.diag, f"{kind}_name")))
    return ", ".join(parts)


@contextmanager
def translate_errors(where: str) -> Iterator[None]:
    """Turn a driver's error that leaves the block into ours. `where` names what was being done: a stream, a suite."""
    try:
        yield
    except (psycopg.Error, psycopg2.Error) as error:
        raise as_onefold_error(error, where).with_traceback(error.__traceback__) from None


def _case(error: DriverError) -> _Case | None:
    state = _state(error)
    if state is None:  # a session that broke off (the drivers then have no class for it), or a misuse of the driver
        session_ended = isinstance(error, _SESSION_ENDED) or type(error) in (
            psycopg.DatabaseError,
            psycopg2.DatabaseError,
        )
        return _CONNECTION_LOST if session_ended else None
    if error.diag.source_function in _FILE_EXTENDING:
        return _DISK_FULL
    return _CASES.get(state) or _CASES.get(state[:2])


def _state(error: DriverError) -> str | None:
    return error.sqlstate if isinstance(error, psycopg.Error) else error.pgcode
