"""How the values of a golden record's attribute follow a change of its type, and which of them cannot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cast:
    """`using` is SQL over {column}; `loss` says which values do not stay as they are, None where all do."""

    using: str
    loss: str | None = None


_SAFE = {
    ("integer", "numeric"): "{column}::numeric",
    ("date", "timestamptz"): "{column}::timestamp at time zone 'UTC'",
    ("integer", "text"): "{column}::text",
    ("numeric", "text"): "{column}::text",
    ("boolean", "text"): "{column}::text",
    ("boolean", "integer"): "{column}::integer",
    ("boolean", "numeric"): "{column}::integer::numeric",
    ("date", "text"): "to_char({column}, 'YYYY-MM-DD')",
    ("timestamptz", "text"): "to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
}
_LOSSY = {
    ("numeric", "integer"): Cast(
        "case when {column} between -2147483648 and 2147483647 then round({column})::integer end",
        "fractions are rounded, and values beyond ±2147483647 become NULL",
    ),
    ("timestamptz", "date"): Cast("({column} at time zone 'UTC')::date", "the time of day is cut off"),
    ("integer", "boolean"): Cast("{column} <> 0", "all values but 0 become true"),
    ("numeric", "boolean"): Cast("{column} <> 0", "all values but 0 become true"),
}


def cast(old: str, new: str) -> Cast:
    """How values of the old type become values of the new one; both are types of the catalogue."""
    if safe := _SAFE.get((old, new)):
        return Cast(safe)
    if lossy := _LOSSY.get((old, new)):
        return lossy
    if old == "text":
        return Cast(
            f"case when pg_input_is_valid({{column}}, '{new}') then {{column}}::{new} end",
            f"texts that are no {new} become NULL",
        )
    return Cast(f"null::{new}", "all values become NULL")
