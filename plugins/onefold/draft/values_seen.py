"""Whether a value of a record can be read as the type that its field declares, without a database.

The gate judges each load by PostgreSQL's own reading (quality/typed.py); this is for a look at a few records before
anything is loaded, so it knows the usual forms only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from onefold.catalog.fields import FieldType
from onefold.connectors.cursor import instant
from onefold.draft.json_sample import sampled_kind

_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WORDS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0"})
MISSING = object()
"""What `value_of` gives where a record lacks the field altogether."""


def fits(value: object, declared: FieldType) -> bool:
    """Whether the value is one of the declared type; null is one of each."""
    if value is None or declared == "json":
        return True
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match declared:
        case "text":
            return isinstance(value, str)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return (is_number and whole) or (isinstance(value, str) and bool(_INTEGER.fullmatch(value.strip())))
        case "numeric":
            return is_number or (isinstance(value, str) and bool(_NUMBER.fullmatch(value.strip())))
        case "boolean":
            return isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in _WORDS)
        case "date":
            return isinstance(value, str) and _is_date(value.strip())
        case "timestamp":
            return isinstance(value, str) and _is_moment(value.strip())


def value_of(record: object, keys: tuple[str, ...]) -> object:
    """The value below these keys; MISSING where the record has none."""
    for key in keys:
        if not isinstance(record, Mapping) or key not in record:
            return MISSING
        record = record[key]
    return record


def kind_of(value: object) -> str:
    """What a value looks like, as a type of the catalogue; null for none."""
    return "null" if value is None else "text" if value == "" else sampled_kind([value])


def undeclared(records: list[Mapping[str, object]], known: frozenset[str]) -> Iterator[tuple[str, str, int]]:
    """The top-level keys that the catalogue does not name: each with the type that takes all its values, and in how
    many records it is."""
    names = dict.fromkeys(name for record in records for name in record if name not in known)
    for name in names:
        values = [record[name] for record in records if name in record]
        yield name, sampled_kind(values), len(values)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return _is_moment(text)
    return True


def _is_moment(text: str) -> bool:
    try:
        instant(text)
    except ValueError:
        return False
    except OverflowError:  # in UTC it is before the year 1 or after 9999, which PostgreSQL can hold
        return True
    return True
