"""Values of fields as JSON, in the outbox and in plans, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from onefold.connectors.outbound.contract import Kind, Value

Json = str | bool | None


def to_json(values: Mapping[str, Value]) -> dict[str, Json]:
    """Numbers and times as text, digit for digit."""
    return {name: _json(value) for name, value in values.items()}


def from_json(values: Mapping[str, Json], kinds: Mapping[str, Kind]) -> dict[str, Value]:
    """What to_json was given; `kinds` are the fields' own."""
    return {name: _value(value, kinds.get(name, "text")) for name, value in values.items()}


def _json(value: Value) -> Json:
    if value is None or isinstance(value, str | bool):
        return value
    return value.isoformat() if isinstance(value, date) else f"{Decimal(value):f}"


def _value(value: Json, kind: Kind) -> Value:
    if value is None or isinstance(value, bool):
        return value
    match kind:
        case "number":
            return Decimal(value)
        case "date":
            return date.fromisoformat(value)
        case "timestamp":
            return datetime.fromisoformat(value)
        case _:
            return value
