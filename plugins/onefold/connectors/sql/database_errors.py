"""What a database's error means: ask again, or let somebody fix something first.

PostgreSQL tells by SQLSTATE (manual, appendix A), MySQL and MariaDB by number (MariaDB: "MariaDB Error Codes"; 2000 and
up are the client's own). PostgreSQL's refusal to let us in has no code at all on our side, only its text.
"""

from __future__ import annotations

import psycopg
import sqlalchemy as sa
from pymysql.constants import CR, ER

from onefold.catalog.system import System
from onefold.errors import Fatal, Retriable
from onefold.foreign_text import described
from onefold.http.failure import Again, times
from onefold.http.known_words import known_words

Code = str | int | None

_SLOW: frozenset[Code] = frozenset({"57014", "55P03", 1205, 1317, 1969, 3024})
"""A statement or a lock that took too long, or was cancelled for it."""
_LATER = ("08", "25P", "40", "53", "55", "57", "58", "XX")
_LATER_NUMBERS = frozenset({1040, 1053, 1203, 1213, 1226, 1927, 2002, 2003, 2006, 2013, 2014, 2055, 4031})
_NO_ENTRY: frozenset[Code] = frozenset({"28000", "28P01", "3D000", 1044, 1045, 1049, 1130, 1251, 1698})
_NO_ENTRY_TEXTS = ("authentication failed", "does not exist", "pg_hba.conf", "no password supplied", "not permitted to")
_NO_RIGHT: frozenset[Code] = frozenset({"42501", 1142, 1143, 1227, 1345})
_NOT_THERE: frozenset[Code] = frozenset({"42P01", "42703", "3F000", 1054, 1146})


_CONDITIONS = {
    each.sqlstate: name
    for name, each in vars(psycopg.errors).items()
    if isinstance(each, type) and issubclass(each, psycopg.Error) and each.sqlstate
}
_NUMBERS: dict[int, str] = {
    number: name for names in (ER, CR) for name, number in vars(names).items() if isinstance(number, int)
}


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


def classed(error: sa.exc.DBAPIError, named: str, system: System, timeout: float) -> Exception:
    """Again (Slow) when the same question may be answered later, Fatal with what to fix when it may not."""
    code, text = _code(error), _text(error)
    answer = described(text, known_words(system))
    if name := _name(code):
        answer = f"{name}, {answer}"
    if code in _SLOW:
        return Slow(timeout, answer)
    if code in _NO_ENTRY or (code is None and any(words in text for words in _NO_ENTRY_TEXTS)):
        remedy = f"Check login, password, host and database (schema) of the Airflow connection {system.connection!r}"
    elif code in _NO_RIGHT:
        remedy = f"Grant the login of the Airflow connection {system.connection!r} the right to read it"
    elif code in _NOT_THERE:
        remedy = "Compare request.table and the fields in the system's YAML with the database"
    elif _later(error, code):
        lost = code is None or error.connection_invalidated or isinstance(code, int)
        return Again("the connection failed" if lost else f"SQLSTATE {code}", answer=answer)
    else:
        remedy = "The query does not fit the table: compare the stream's YAML with the database"
    return Fatal(f"{named} was refused{f' with {code}' if code else ''} ({answer}). {remedy}.")


def _name(code: Code) -> str | None:
    """What the code is called: UndefinedTable, NO_SUCH_TABLE."""
    if isinstance(code, str):
        return _CONDITIONS.get(code)
    return _NUMBERS.get(code) if code else None


def _later(error: sa.exc.DBAPIError, code: Code) -> bool:
    if error.connection_invalidated:
        return True
    if isinstance(code, str):
        return code.startswith(_LATER)
    if isinstance(code, int):
        return code in _LATER_NUMBERS
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError)


def _code(error: sa.exc.DBAPIError) -> Code:
    first = error.orig.args[0] if error.orig and error.orig.args else None
    if isinstance(first, int):
        return first or None
    return getattr(error.orig, "sqlstate", None)


def _text(error: sa.exc.DBAPIError) -> str:
    """The message alone: DETAIL, statement and parameters may hold values."""
    if primary := getattr(getattr(error.orig, "diag", None), "message_primary", None):
        return str(primary)
    return str(error.orig.args[-1]) if error.orig and error.orig.args else type(error).__name__
