"""What the forms of DAGs and the options of commands have in common: instants, reasons, lists.

Airflow's form marks each field as needed whose type is not null too. One that is needed begins as "", which the server
refuses; without any value the form would open red. Lists are text, or a choice of names: of any other array or object
the form makes an editor of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from onefold.catalog.limits import OWN_RATE
from onefold.errors import Fatal

INSTANT: Mapping[str, object] = {
    "type": ["null", "string"],
    "format": "date-time",
    # The format alone refuses nothing: jsonschema checks it only with a package that Airflow does not bring.
    "pattern": r"^\d{4}-(0[1-9]|1[0-2])-\d{2}"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$",
}
NEEDED_INSTANT = {**INSTANT, "type": "string"}
REASON: Mapping[str, object] = {"type": "string", "minLength": 3, "maxLength": 500}
CHUNK_DAYS: Mapping[str, object] = {"type": "integer", "minimum": 1, "maximum": 3660}
MODES: Mapping[str, str] = {"incremental": "at any time", "service_window": "in the hours below only"}
RATE: Mapping[str, object] = {"type": ["null", "string"], "pattern": OWN_RATE}
LOADS: Mapping[str, object] = {
    "type": ["null", "string"],
    "format": "multiline",
    "pattern": r"^[\s,;]*([1-9]\d{0,18}([\s,;]+|$))*$",
}
ROWS = LOADS
REPLAY_OUT: Mapping[str, object] = {"type": ["null", "string"], "pattern": r"^\s*(all|([1-9]\d{0,18}([\s,;]+|$))*)\s*$"}


def one_of(names: Sequence[str], none: str) -> dict[str, object]:
    """A choice of one of the names, or of none, which is called so in the form."""
    return {"type": ["null", "string"], "enum": [None, *names], "values_display": {"null": none}}


def several_of(names: Sequence[str]) -> dict[str, object]:
    """A choice of any of the names, and others that somebody types into a request."""
    return {"type": ["null", "array"], "items": {"type": "string"}, "examples": list(names)}


def load_numbers(text: str | None) -> tuple[int, ...]:
    """The numbers of loads in a text of LOADS, as they come; whatever is between them."""
    return tuple(int(number) for number in re.findall(r"\d+", text or ""))


def accepted_deletes(text: str | None) -> dict[str, int]:
    """How many deletions are accepted, by stream, of a text of ACCEPT_DELETES, as customer=812, order=3."""
    return {stream: int(records) for stream, records in re.findall(r"(\w+)\s*=\s*(\d+)", text or "")}


ACCEPT_DELETES: Mapping[str, object] = {
    "type": ["null", "string"],
    "format": "multiline",
    "pattern": r"^[\s,;]*(\w+\s*=\s*[1-9]\d{0,17}([\s,;]+|$))*$",
    "description": "Of a stream, how many records may be deleted although its listing lacks suspiciously many, as "
    "customer=812; the message of what was refused says the number",
}


def numbers(text: str | None) -> tuple[int, ...] | None:
    """The whole numbers of a list that people write, with commas or spaces between them; nothing is None.

    Raises Fatal when anything else stands among them.
    """
    if not text or not text.strip():
        return None
    try:
        return tuple(int(each) for each in re.split(r"[\s,;]+", text.strip(" \t\n,;")))
    except ValueError:
        raise Fatal(f"{text!r} is no list of numbers. Write it like 12, 15, 18. Nothing was changed.") from None


def instant(text: str | None) -> datetime | None:
    """An ISO 8601 instant; without a zone it is UTC, a day alone is its midnight, and nothing is None.

    Raises Fatal when it is no instant.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter: in UTC it is before the year 1, or after 9999
        raise Fatal(f"{text!r} is not an instant. Write it like 2026-01-31T00:00:00Z. Nothing was changed.") from None


def needed_instant(text: str | None) -> datetime:
    """An ISO 8601 instant, as above. Raises Fatal when it is none, or when there is nothing."""
    at = instant(text)
    if at is None:
        raise Fatal("From and to are both needed. Write them like 2026-01-31T00:00:00Z. Nothing was changed.")
    return at


def stated_reason(text: str) -> str:
    """The reason that somebody gives, as REASON wants it. Raises Fatal when it is too short or too long."""
    reason, least, most = text.strip(), int(str(REASON["minLength"])), int(str(REASON["maxLength"]))
    if not least <= len(reason) <= most:
        raise Fatal(f"Say why, in {least} to {most} characters: who approves it, and the auditor, read it.")
    return reason
