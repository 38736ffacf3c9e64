"""Values on their way into a column and out of it: exact, and of the kind that the target's YAML says."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from onefold.connectors.outbound.contract import Kind, Value

Type = sa.types.TypeEngine[Any]


def to_column(value: Value, kind: Type, zone: ZoneInfo) -> object:
    """What the driver is given for a column of this type. Raises ValueError for what the type cannot have.

    `zone` is of a column whose times have none.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value if getattr(kind, "timezone", False) else value.astimezone(zone).replace(tzinfo=None)
    if isinstance(value, date):
        return value.isoformat() if isinstance(kind, sa.String) else value
    if isinstance(value, int | Decimal):
        return _number(Decimal(value), kind)
    if isinstance(kind, sa.Uuid):
        return UUID(value)
    if isinstance(kind, sa.Integer | sa.Numeric):
        try:
            return _number(Decimal(value), kind)
        except InvalidOperation as error:
            raise ValueError("no number") from error
    if isinstance(kind, sa.DateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, sa.Date) else value


def _number(value: Decimal, kind: Type) -> object:
    if isinstance(kind, sa.Integer):
        if value != value.to_integral_value():
            raise ValueError("no whole number")
        return int(value)
    return f"{value:f}" if isinstance(kind, sa.String) else value


def from_column(value: object, kind: Kind, column: Type, zone: ZoneInfo) -> Value:
    """The value of a column as its kind is read; as text where it is of no such kind."""
    if value is None:
        return None
    if kind == "number":
        try:
            return Decimal(repr(value) if isinstance(value, float) else str(value))
        except InvalidOperation:
            return str(value)
    if kind == "boolean" and value in (0, 1, b"\0", b"\1"):
        return value in (1, b"\1")
    if kind == "timestamp" and isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if kind == "date" and isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    if isinstance(value, bytes):
        return value.hex()
    text = str(value)
    return text.rstrip(" ") if isinstance(column, sa.CHAR) else text
