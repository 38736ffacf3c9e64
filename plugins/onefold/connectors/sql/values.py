"""How a column's values are written as JSON: the same data gives the same text, whatever the database."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, ClassVar, NoReturn
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

Convert = Callable[[object], object]


class Clock(sa.types.UserDefinedType[timedelta]):
    """MySQL's TIME as the driver gives it: SQLAlchemy's own type knows the hours of one day only."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "TIME"


class Single(sa.Float[float]):
    """MySQL's FLOAT, selected as a double (Relation.selection): as FLOAT the server writes six digits of it."""


class Written(sa.types.UserDefinedType[str]):
    """A value that is given as the database writes it: PostgreSQL's ranges, `[1,5)`, of which drivers make objects."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "TEXT"


class StampText(sa.types.UserDefinedType[str]):
    """A time that is read as text and compared as such, where Python would round it: `2026-01-02T03:04:05.1234567`.
    With a zone it is in UTC."""

    cache_ok = True
    timezone: ClassVar[bool] = False

    def get_col_spec(self, **_: object) -> str:
        return "TIMESTAMP"

    def bind_processor(self, dialect: sa.Dialect) -> Convert:
        return _stamp_text


TIMES = (sa.DateTime, StampText)
"""What a column with a moment may be."""


def _stamp_text(value: object) -> object:
    if not isinstance(value, datetime):
        return value
    at = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return at.isoformat(timespec="microseconds")


def converter(column: sa.ColumnClause[Any], field_type: str | None, zone: ZoneInfo) -> Convert | None:
    """What makes the column's values such that JSON holds them exactly; None where they are so already.

    What is no value of its type (NaN, 0000-00-00, infinity) becomes its text, for the gate to see.
    """
    kind = column.type
    if isinstance(kind, StampText):
        return lambda value: _instant_of_text(value, UTC if kind.timezone else zone)
    if isinstance(kind, sa.DateTime):
        zone = zone_of(kind, zone)
        return lambda value: instant(value, zone)
    if field_type == "boolean" and not isinstance(kind, sa.Boolean):
        return _truth
    if isinstance(kind, mysql.SET):
        return _members if field_type == "json" else None
    if isinstance(kind, sa.ARRAY):
        return _list if field_type == "json" else _elements
    if isinstance(kind, Clock):
        return clock_text
    if isinstance(kind, Single):
        return single_precision
    if field_type == "json":
        return _document
    if isinstance(kind, sa.CHAR):
        return lambda value: value.rstrip(" ") if isinstance(value, str) else value
    return number_or_text if isinstance(kind, sa.Numeric | sa.Float) else None


def zone_of(kind: sa.types.TypeEngine[Any], zone: ZoneInfo) -> ZoneInfo:
    """MySQL's TIMESTAMP is kept in UTC and shown in the session's zone, which is UTC; its DATETIME is as it was put."""
    return ZoneInfo("UTC") if isinstance(kind, mysql.TIMESTAMP) else zone


def number_or_text(value: object) -> object:
    """A number that JSON has no form for as its text: NaN, Infinity, -Infinity."""
    if isinstance(value, Decimal) and not value.is_finite():
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def single_precision(value: object) -> object:
    """A number of single precision by the fewest digits that mean it: 123456.78, which is 123456.78125 as a double."""
    if not isinstance(value, float) or not math.isfinite(value):
        return number_or_text(value)
    shortest = (float(f"{value:.{digits}g}") for digits in range(6, 10))
    return next((each for each in shortest if struct.pack("f", each) == struct.pack("f", value)), value)


def _list(value: object) -> object:
    """A list for a field of JSON, which has no NaN and no Infinity: as a bare word they send the row to quarantine."""
    if isinstance(value, list):
        return [_list(each) for each in value]
    return Decimal(value) if isinstance(value, float) and not math.isfinite(value) else value


def _elements(value: object) -> object:
    return [_elements(each) for each in value] if isinstance(value, list) else number_or_text(value)


def clock_text(value: object) -> object:
    """MySQL's TIME is a span of up to 838 hours, either way: `25:30:00`, `-01:00:00` (MariaDB: "TIME")."""
    if not isinstance(value, timedelta):
        return value
    seconds, microseconds = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{'-' if value < timedelta(0) else ''}{text}{f'.{microseconds:06}' if microseconds else ''}"


def read_json(text: str | bytes) -> object:
    """A JSON document whose numbers stay exact. Raises ValueError; NaN and Infinity are no JSON."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_json)


def _no_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def instant(value: object, zone: ZoneInfo) -> object:
    """In UTC; what is no time that Python can hold (MySQL's 0000-00-00, PostgreSQL's infinity) stays as it is."""
    if not isinstance(value, datetime):
        return value
    try:
        at = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # the first or last hours of Python's calendar
        return value.isoformat()
    return at.isoformat(timespec="microseconds" if at.microsecond % 1000 else "milliseconds") + "Z"


_STAMP = re.compile(r" ?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d*))?(?:Z|\+00:00)?")


def _instant_of_text(value: object, zone: tzinfo) -> object:
    """In UTC, with as many digits of a second as there are, three at least; what is no such time stays as it is."""
    found = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    try:
        at = datetime.fromisoformat(found[1]).replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return value
    return f"{at.isoformat()}.{(found[2] or '').rstrip('0').ljust(3, '0')}Z"


def _truth(value: object) -> object:
    """MySQL's BOOLEAN is a small number, its BIT(1) a byte."""
    number = int.from_bytes(value, "big") if isinstance(value, bytes) else value
    return bool(number) if number in (0, 1) else number


def _members(value: object) -> object:
    """The members of MySQL's SET as a list, in the order of the column's definition, in which the server writes them
    (MariaDB: "SET Data Type")."""
    return (value.split(",") if value else []) if isinstance(value, str) else value


def _document(value: object) -> object:
    """MariaDB keeps JSON as text."""
    try:
        return read_json(value) if isinstance(value, str) else value
    except ValueError:
        return value
