"""What a database's error means: ask again, or let somebody fix something first.

PostgreSQL tells by SQLSTATE, MySQL, MariaDB and SQL Server by number, Oracle by a name with a number (ORA-00942); what
each code means is its dialect's to say.
"""

from __future__ import annotations

import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.connectors.sql.dialects.dialect import Code, Codes
from onefold.errors import Fatal, Retriable
from onefold.foreign_text import described, shown_name
from onefold.http.failure import Again, WriteRefused, times
from onefold.http.known_words import known_words


class Slow(Again):
    """The database gave no answer in time (seconds)."""

    def __init__(self, timeout: float, answer: str) -> None:
        super().__init__(f"no answer within {timeout:g} s", answer=answer)

    def in_the_end(self, named: str, attempts: int, connection: str) -> Retriable:
        return Retriable(
            f"{named} had {self.what}, {times(attempts)}. See that no lock is held there for so long and that an "
            "index begins with the cursor and the key; or ask for less at once (next.size) or wait longer "
            "(limits.timeout) in the system's YAML. Nothing was changed here."
        )


def classed(error: sa.exc.DBAPIError, named: str, system: System, timeout: float, codes: Codes) -> Exception:
    """Again (Slow) when the same question may be answered later, Fatal with what to fix when it may not."""
    code, text = code_of(error), _text(error)
    answer = described(text, known_words(system))
    if name := codes.name(code):
        answer = f"{name}, {answer}"
    if code in codes.slow:
        return Slow(timeout, answer)
    if code in codes.no_entry or (code is None and any(words in text for words in codes.no_entry_texts)):
        remedy = f"Check login, password, host and database (schema) of the Airflow connection {system.connection!r}"
    elif code in codes.no_right:
        remedy = f"Grant the login of the Airflow connection {system.connection!r} the right to read it"
    elif code in codes.not_there:
        remedy = "Compare request.table and the fields in the system's YAML with the database"
    elif _later(error, code, codes):
        lost = code is None or error.connection_invalidated or not _is_sqlstate(code)
        return Again("the connection failed" if lost else f"SQLSTATE {code}", answer=answer)
    else:
        remedy = "The query does not fit the table: compare the stream's YAML with the database"
    return Fatal(f"{named} was refused{f' with {code}' if code else ''} ({answer}). {remedy}.")


class Clash(WriteRefused):
    """A constraint of the table was in the way."""


def refused_write(error: sa.exc.DBAPIError, named: str, system: System, codes: Codes) -> WriteRefused:
    """What is raised when the database refuses a write for good. Names of columns and constraints are shown, no
    values."""
    code, text = code_of(error), _text(error)
    answer = described(text, known_words(system))
    diagnosis = getattr(error.orig, "diag", None)
    places = [
        f"{what} {shown_name(name)}"
        for what in ("column", "constraint")
        if (name := getattr(diagnosis, f"{what}_name", None))
    ]
    known = ", ".join(filter(None, (codes.name(code), *places, answer)))
    kind = Clash if isinstance(error, sa.exc.IntegrityError) else WriteRefused
    if code in codes.no_right:
        remedy = (
            f"Grant the login of the Airflow connection {system.connection!r} the right to write it and to use its "
            "sequences"
        )
    elif code in codes.not_there:
        remedy = "Compare the object and the fields in the target's YAML with the database"
    elif kind is Clash:
        remedy = "A constraint of the table is not met: compare the record with it"
    else:
        remedy = "A value does not fit its column: compare the target's YAML with the table"
    return kind(f"{named} was refused{f' with {code}' if code else ''} ({known}). {remedy}.")


def _is_sqlstate(code: Code) -> bool:
    return isinstance(code, str) and len(code) == 5


def _later(error: sa.exc.DBAPIError, code: Code, codes: Codes) -> bool:
    if error.connection_invalidated:
        return True
    if code:
        return codes.is_later(code)
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError)


def _first(error: sa.exc.DBAPIError) -> object:
    """What the driver says first. SQL Server's gives (number, text) in one."""
    first: object = error.orig.args[0] if error.orig and error.orig.args else None
    return first[0] if isinstance(first, tuple) and first else first


def code_of(error: sa.exc.DBAPIError) -> Code:
    """The error's code; None when the driver gave none."""
    first = _first(error)
    if isinstance(first, int):
        return first or None
    full = getattr(first, "full_code", None)
    return str(full) if full else getattr(error.orig, "sqlstate", None)


def _text(error: sa.exc.DBAPIError) -> str:
    """The message alone: DETAIL, statement and parameters may hold values."""
    if primary := getattr(getattr(error.orig, "diag", None), "message_primary", None):
        return str(primary)
    last: object = error.orig.args[-1] if error.orig and error.orig.args else type(error).__name__
    last = last[-1] if isinstance(last, tuple) and last else getattr(last, "message", last)
    return last.decode(errors="replace") if isinstance(last, bytes) else str(last)
