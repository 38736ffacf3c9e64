"""Finds the target's records of golden records: by their keys, by our reference, or by what identifies them there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from onefold.catalog.target import TargetObject
from onefold.connectors.outbound.contract import Current, Outbound, Value
from onefold.write_back.characters import fit
from onefold.write_back.decide import is_empty
from onefold.write_back.formats import Unwritable, formatted
from onefold.write_back.golden import Golden

AT_ONCE = 200
"""So many records are asked for in one question."""


def read_keys(outbound: Outbound, keys: Sequence[str]) -> dict[str, Current]:
    """The target's records by key."""
    found: dict[str, Current] = {}
    for some in _parts(keys):
        found.update({current.key: current for current in outbound.read(some)})
    return found


def find_references(outbound: Outbound, references: Sequence[str]) -> dict[str, list[Current]]:
    """The target's records that have one of our references, by it."""
    found: dict[str, list[Current]] = {}
    for some in _parts(references):
        for current in outbound.find(some):
            found.setdefault(current.reference or "", []).append(current)
    return found


def find_records(
    outbound: Outbound, each: TargetObject, golden: Mapping[UUID, Golden], references: Mapping[UUID, str]
) -> dict[UUID, list[Current]]:
    """All of the target's records that are one of these golden records, each once; `references` are ours of them."""
    known = read_keys(outbound, [key for record in golden.values() for key in record.keys])
    found = {golden_id: [known[key] for key in record.keys if key in known] for golden_id, record in golden.items()}
    unknown = [golden_id for golden_id, record in golden.items() if not record.keys]
    ours = find_references(outbound, [references[golden_id] for golden_id in unknown])
    for golden_id in unknown:
        records = ours.get(references[golden_id]) or [
            current
            for field, value in match_values(each, golden[golden_id])
            for current in outbound.match(field, value)
        ]
        found[golden_id] = list({current.key: current for current in records}.values())
    return found


def match_values(each: TargetObject, golden: Golden) -> Iterator[tuple[str, Value]]:
    """By which fields, of which values, the record may be found in the target."""
    for attribute, field in each.match.items() if golden.values else ():
        spec = each.fields[field]
        try:
            value = formatted(spec, golden.values[attribute])
            value = fit(value, each.characters, spec.length).text if isinstance(value, str) else value
        except Unwritable:
            continue  # the target can hold no such value, so it has no record with it; deciding refuses the record
        if not is_empty(value):
            yield field, value


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Each text once, in parts that one question takes."""
    every = list(dict.fromkeys(texts))
    return (every[at : at + AT_ONCE] for at in range(0, len(every), AT_ONCE))
