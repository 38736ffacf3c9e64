"""Values in the JSON of interfaces that have times in ISO 8601 and numbers as numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from onefold.connectors.outbound.contract import Kind, Value


def in_json(value: Value) -> object:
    """The value in a body; a time in UTC, with all its digits."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def from_json(value: object, kind: Kind) -> Value:
    """The value of a body as its kind; as text where it is of no such kind. A time without a zone is in UTC."""
    if value is None or isinstance(value, bool):
        return value
    try:
        if kind == "number":
            return Decimal(str(value))
        if kind == "timestamp":
            at = datetime.fromisoformat(str(value))
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        if kind == "date":
            return date.fromisoformat(str(value)[:10])
        if kind == "boolean" and value in ("true", "false"):
            return value == "true"
    except (InvalidOperation, ValueError):
        return str(value)
    return str(value)
