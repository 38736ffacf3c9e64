"""Decides what becomes of one intent: pure functions over the golden record and what the target has now."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from onefold.catalog.target import TargetField, TargetObject
from onefold.connectors.outbound.contract import Current, Value
from onefold.write_back.characters import fit
from onefold.write_back.formats import Unwritable, formatted
from onefold.write_back.golden import Golden

_LEFT = "the golden record no longer meets `where`: its record there stays as it is"
Effect = Literal["create", "update", "delete", "nothing", "leave", "refuse"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What one row of a plan does. `before` and `after` have the fields that it changes, as the target has and is given
    them; `replaced` what the table has replaced by what, `asks` the fields that a person is to decide about."""

    effect: Effect
    key: str | None = None
    version: str | None = None
    before: Mapping[str, Value] = field(default_factory=dict, repr=False)
    after: Mapping[str, Value] = field(default_factory=dict, repr=False)
    replaced: Mapping[str, Sequence[str]] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    reason: str | None = None


def refuse(reason: str, key: str | None = None) -> Decision:
    """The record waits until somebody has fixed something."""
    return Decision("refuse", key=key, reason=reason)


def decide_write(each: TargetObject, golden: Golden, found: Sequence[Current], reference: str) -> Decision:
    """What writing the golden record does. `found` are the target's records that are it: by the crosswalk, by our
    reference, or by a matching key."""
    if len(found) > 1:
        keys = ", ".join(sorted(current.key for current in found))
        return refuse(f"the target has several records of it ({keys}): join them there, then replay")
    current = found[0] if found else None
    if current is None and golden.keys:
        return refuse(f"the target no longer has its record {', '.join(golden.keys)}: restore it there, or delete it")
    if current is not None and current.reference not in (None, "", reference):
        return refuse(f"record {current.key} has another golden record's reference: they are two here and one there")
    try:
        written, replaced = write_fields(each, golden)
    except Unwritable as error:
        return refuse(str(error), current.key if current else None)
    if current is None:
        return _create(each, written, replaced)
    return _update(each, golden, current, written, replaced)


def decide_delete(found: Sequence[Current], reference: str) -> Decision:
    """What deleting the target's record of a golden record that has ended does."""
    ours = [current for current in found if current.reference in (None, "", reference)]
    if len(ours) > 1:
        return refuse(f"the target has several records of it ({', '.join(sorted(each.key for each in ours))})")
    if not ours:
        return Decision("nothing", reason="the target has no record of it")
    return Decision("delete", key=ours[0].key, version=ours[0].version, before=dict(ours[0].fields))


def decide_left(each: TargetObject, golden: Golden, found: Sequence[Current], reference: str) -> Decision:
    """What becomes of the target's record of a golden record that no longer meets `where`."""
    if not found:
        return Decision("nothing", reason="the target has no record of it")
    if each.left == "keep" or not golden.made:
        return Decision("leave", found[0].key, found[0].version, reason=_LEFT)
    decision = decide_delete(found, reference)
    return replace(decision, asks=(each.reference,) if each.left == "ask" and decision.effect == "delete" else ())


def write_fields(each: TargetObject, golden: Golden) -> tuple[dict[str, Value], dict[str, tuple[str, ...]]]:
    """The fields as the target holds them, and the characters that were replaced. Raises Unwritable with the field."""
    written: dict[str, Value] = {}
    replaced: dict[str, tuple[str, ...]] = {}
    for name, spec in each.fields.items():
        try:
            value = formatted(spec, golden.values[spec.attribute])
            if isinstance(value, str):
                fitted = fit(value, each.characters, spec.length)
                value = fitted.text
                if fitted.replaced:
                    replaced[name] = fitted.replaced
        except Unwritable as error:
            raise Unwritable(f"{name}: {error}") from None
        written[name] = value
    return written, replaced


def _create(each: TargetObject, written: Mapping[str, Value], replaced: Mapping[str, Sequence[str]]) -> Decision:
    if "create" not in each.may:
        return Decision("nothing", reason="the target has no record of it, and none may be created")
    if lacking := [name for name, spec in each.fields.items() if spec.required and is_empty(written[name])]:
        return refuse(f"{', '.join(lacking)}: required there, and the golden record has none")
    after = {name: value for name, value in written.items() if not is_empty(value)} | each.constants
    return Decision("create", after=after, replaced=replaced)


def _update(
    each: TargetObject,
    golden: Golden,
    current: Current,
    written: Mapping[str, Value],
    replaced: Mapping[str, Sequence[str]],
) -> Decision:
    changed_there = current.fields.get(each.changed) if each.changed else None
    before: dict[str, Value] = {}
    after: dict[str, Value] = {}
    asks: list[str] = []
    for name, spec in each.fields.items():
        theirs, ours = current.fields.get(name), written[name]
        if equal(ours, theirs) or not _may_replace(spec, golden, ours, theirs, changed_there):
            continue
        before[name], after[name] = theirs, ours
        if spec.rule == "ask" and not is_empty(theirs):
            asks.append(name)
    if not after:
        return Decision("nothing", key=current.key, version=current.version)
    if "update" not in each.may:
        return Decision("nothing", key=current.key, reason="the target's record differs, and none may be updated")
    return Decision(
        "update",
        key=current.key,
        version=current.version,
        before=before,
        after=after,
        replaced={name: signs for name, signs in replaced.items() if name in after},
        asks=tuple(asks),
    )


def _may_replace(spec: TargetField, golden: Golden, ours: Value, theirs: Value, changed_there: Value) -> bool:
    """Whether our value may take the place of the target's, which is another one."""
    if is_empty(ours):
        return spec.clear and spec.rule != "fill_empty"
    if is_empty(theirs) or spec.rule in ("owner", "ask"):
        return True
    if spec.rule == "fill_empty":
        return False
    since = golden.since.get(spec.attribute)
    return since is not None and isinstance(changed_there, datetime) and since > changed_there


def is_empty(value: Value) -> bool:
    """Whether the target has nothing there: databases say NULL, files and many services an empty text."""
    return value is None or value == ""


def equal(ours: Value, theirs: Value) -> bool:
    """Whether the target holds what it is given: numbers by value, text composed, nothing as nothing."""
    if is_empty(ours) or is_empty(theirs):
        return is_empty(ours) and is_empty(theirs)
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int | Decimal) and isinstance(theirs, int | Decimal):
        return Decimal(ours) == Decimal(theirs)
    if isinstance(ours, str) and isinstance(theirs, str):
        return unicodedata.normalize("NFC", ours) == unicodedata.normalize("NFC", theirs)
    return type(ours) is type(theirs) and ours == theirs
