"""Changes as outcomes: what is checked before any is sent, and what an error says of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from onefold.connectors.outbound.contract import Change, Outbound, Outcome, Place, Result
from onefold.errors import Fatal, Retriable
from onefold.http.failure import NotSent, Refused, Unanswered, WriteRefused

_SURROGATE = re.compile("[\ud800-\udfff]")
FAILURES = (Unanswered, NotSent, Retriable, Fatal)
"""What says of a change that it was not, or perhaps not, written."""


def applied(outbound: Outbound, changes: Sequence[Change], apply: Callable[[Change], Outcome]) -> list[Outcome]:
    """The outcome of each change, in their order, by `apply` of one."""
    require_batch(outbound, changes)
    return [unfit(outbound.place, change) or outcome_of(change, partial(apply, change)) for change in changes]


def require_batch(outbound: Outbound, changes: Sequence[Change]) -> None:
    """Raises ValueError for more changes than `apply` takes, and for two of one record."""
    if len(changes) > outbound.batch:
        raise ValueError(f"{len(changes)} changes are more than the {outbound.batch} that one apply takes")
    for named in ("id", "reference", "key"):
        _require_different(named, (getattr(change, named) for change in changes))


def _require_different(named: str, values: Iterable[str | None]) -> None:
    given = [value for value in values if value is not None]
    if len(given) != len(set(given)):
        raise ValueError(f"two changes have the same {named}: give them one after the other")


def unfit(place: Place, change: Change) -> Outcome | None:
    """The refusal of a change that is not sent, because it says too little; None for a sound one."""
    if change.kind != "create" and (change.key is None or change.version is None):
        reason = f"{place.named}: a record is changed by its key in the version that was read. Read it first."
        return Outcome(change.id, Result.REFUSED, change.key, reason=reason)
    if not change.reference:
        return Outcome(change.id, Result.REFUSED, change.key, reason=f"{place.named}: the change has no reference.")
    for name, value in change.fields.items():
        if wrong := _no_value(value):
            return Outcome(change.id, Result.REFUSED, change.key, reason=f"{place.named}: {name} has {wrong}.")
    return None


def _no_value(value: object) -> str | None:
    """Why this can be written nowhere, whatever the target; None for what can."""
    if isinstance(value, str):
        return "half of a character (a surrogate alone)" if _SURROGATE.search(value) else None
    if isinstance(value, Decimal):
        return None if value.is_finite() else "no finite number"
    if isinstance(value, datetime):
        return "a time without its zone" if value.tzinfo is None else None
    return None if value is None or isinstance(value, bool | int | date) else f"a value of type {type(value).__name__}"


def outcome_of(change: Change, apply: Callable[[], Outcome]) -> Outcome:
    """What `apply` gives, or what its error says of the change."""
    try:
        return apply()
    except Unanswered as error:
        return Outcome(change.id, Result.AMBIGUOUS, change.key, reason=str(error))
    except (Refused, WriteRefused) as error:
        return Outcome(change.id, Result.REFUSED, change.key, reason=str(error))
    except (NotSent, Retriable, Fatal) as error:  # the last two: of what is asked before anything is written
        return Outcome(change.id, Result.NOT_SENT, change.key, reason=str(error))
