"""Which records are of one thing: those that share a strong identifier, transitively; then those whose name and address
agree while no identifier contradicts, as conform has it; and last, since a survey only counts, those of different
systems whose names are alike (a slip of the pen, a missing legal form) and that have an address, e-mail or telephone in
common.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from onefold.catalog.entity import SYSTEM, Entity
from onefold.survey.records import SurveyedRecord

PREFIX = 24
"""Letters of a truncated name that must agree before it is compared at all."""
ALIKE, SHORT, CROWDED = 0.9, 6, 20
"""Likeness of two names that differ by a slip; letters that a name has at least to begin a longer one; groups at one
address beyond which it tells nothing."""


class _Groups:
    """Numbers that are joined to groups; the smallest names each."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def of(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = number = self._parent[self._parent[number]]
        return number

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._parent[second] = first


def same_things(entity: Entity, records: Sequence[SurveyedRecord]) -> list[int]:
    """The number of the thing that each record is of, in the records' order."""
    groups = _Groups(len(records))
    for parts in entity.identity.identifiers:
        first: dict[tuple[str, ...], int] = {}
        for number, record in enumerate(records):
            held = identifier(record, parts)
            if held is not None:
                groups.join(number, first.setdefault(held, number))
    if entity.identity.probabilistic:
        alone = [parts for parts in entity.identity.identifiers if len(parts) == 1]
        _join_by_name(alone, records, groups)
        _join_alike(alone, records, groups, entity.person.identifiers if entity.person else ())
    return [groups.of(number) for number in range(len(records))]


def identifier(record: SurveyedRecord, parts: Iterable[str]) -> tuple[str, ...] | None:
    """The record's value of a strong identifier; None where a part is missing."""
    held = [record.system if part == SYSTEM else record.values.get(part) for part in parts]
    return tuple(each for each in held if each is not None) if all(held) else None


def _join_by_name(alone: Sequence[list[str]], records: Sequence[SurveyedRecord], groups: _Groups) -> None:
    of_key: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    whole: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for number, record in enumerate(records):
        if record.name and record.address:
            of_key[record.name, record.address].add(groups.of(number))
            if not record.truncated and len(record.name) >= PREFIX:
                whole[record.name[:PREFIX], record.address].add(record.name)
    for number, record in enumerate(records):
        if record.truncated and record.name and record.address and len(record.name) >= PREFIX:
            names = {name for name in whole[record.name[:PREFIX], record.address] if name.startswith(record.name)}
            if len(names) == 1:
                of_key[names.pop(), record.address].add(groups.of(number))
    held = _identifiers(records, groups, alone)
    for together in of_key.values():
        if len(together) > 1 and not _contradict(held, together, len(alone)):
            hub = min(together)
            for group in together:
                groups.join(hub, group)


def _join_alike(
    alone: Sequence[list[str]], records: Sequence[SurveyedRecord], groups: _Groups, contacts: Sequence[str]
) -> None:
    """Join two groups that are alike and have an address, e-mail or telephone in common, where neither is like a third
    and no system tells them apart."""
    systems: defaultdict[int, set[str]] = defaultdict(set)
    at: defaultdict[tuple[str, str], defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for number, record in enumerate(records):
        systems[groups.of(number)].add(record.system)
        if record.name:
            places = {"address": record.address, **{each: record.values.get(each) for each in contacts}}
            for kind, place in places.items():
                if place:
                    at[kind, place][groups.of(number)].add(record.name)
    held = _identifiers(records, groups, alone)
    for names in at.values():
        if not 1 < len(names) <= CROWDED:
            continue
        pairs = [
            (one, other)
            for one, other in combinations(names, 2)
            if systems[one].isdisjoint(systems[other])
            and any(_alike(first, second) for first in names[one] for second in names[other])
            and not _contradict(held, (one, other), len(alone))
        ]
        times = Counter(group for pair in pairs for group in pair)
        for one, other in pairs:
            if times[one] == times[other] == 1:
                groups.join(one, other)


def _alike(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= SHORT and longer.startswith(shorter):
        return True
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def _identifiers(records: Sequence[SurveyedRecord], groups: _Groups, alone: Sequence[Sequence[str]]) -> Held:
    held: defaultdict[int, defaultdict[int, set[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(set))
    for number, record in enumerate(records):
        for place, parts in enumerate(alone):
            value = identifier(record, parts)
            if value is not None:
                held[groups.of(number)][place].add(value)
    return held


Held = Mapping[int, Mapping[int, set[tuple[str, ...]]]]
"""By group and place of the identifier: its values."""


def _contradict(held: Held, together: Iterable[int], count: int) -> bool:
    """Whether two of the groups have an identifier, and no value of it in common. A group that has several values, as a
    company that a register has entered twice, contradicts none that has no value."""
    known = [held[group] for group in together if group in held]
    return any(
        place in one and place in other and one[place].isdisjoint(other[place])
        for one, other in combinations(known, 2)
        for place in range(count)
    )
