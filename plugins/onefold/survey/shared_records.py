"""Which systems hold the same things, how far they agree about them, and whom to believe about what."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import psycopg

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog
from onefold.survey.entity_rules import EntitySource
from onefold.survey.records import Filled, SurveyedRecord, entity_records
from onefold.survey.same_things import identifier, same_things


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the things that two systems share and of which both give the attribute: how many, and in how many they say
    the same."""

    attribute: str
    both: int
    same: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems: how many things each holds, how many both, and how far they agree about those."""

    entity: str
    one: str
    other: str
    of_one: int
    of_other: int
    shared: int
    agreements: tuple[Agreement, ...]

    @property
    def share(self) -> float:
        """Of the things of the system that holds fewer."""
        return self.shared / fewer if (fewer := min(self.of_one, self.of_other)) else 0.0


@dataclass(frozen=True, slots=True)
class AttributeQuality:
    """One system's values of an attribute: of `records` so many are `filled`, of these so many `understood` by the
    transform, and where another system says it too, so many of `compared` agree with most of the others."""

    attribute: str
    system: str
    records: int
    filled: int
    understood: int
    compared: int
    agreeing: int

    @property
    def worth(self) -> float:
        """0 to 1: how often it has a value that is understood and agrees with the others."""
        complete = self.understood / self.records if self.records else 0.0
        return complete * (self.agreeing / self.compared if self.compared else 1.0)


@dataclass(frozen=True, slots=True)
class EntityMet:
    """One entity over all systems. `identified` are records with a strong identifier, `things` the different ones;
    `conflicts` by identifier: things that have several values of it."""

    entity: str
    sources: tuple[EntitySource, ...]
    records: Mapping[str, int]
    """By system."""
    identified: Mapping[str, int]
    things: int
    conflicts: Mapping[str, int]
    pairs: tuple[Pair, ...]
    quality: tuple[AttributeQuality, ...]
    newest: Mapping[str, float]
    """By system: in which share of the things that others hold too it was changed last."""

    @property
    def source_of_truth(self) -> dict[str, str]:
        """By attribute that several systems give, the system whose values are worth most; of two that are worth about
        the same, the one that is changed last more often."""
        by_attribute: defaultdict[str, list[AttributeQuality]] = defaultdict(list)
        for each in self.quality:
            by_attribute[each.attribute].append(each)
        return {
            name: max(
                several, key=lambda each: (round(each.worth, 1), self.newest.get(each.system, 0.0), each.worth)
            ).system
            for name, several in by_attribute.items()
            if len(several) > 1
        }


def entity_met(
    connection: psycopg.Connection, catalog: Catalog, entity: Entity, sources: Sequence[EntitySource]
) -> EntityMet:
    """What the surveyed records say of the entity; sources are those of which there are records."""
    read = entity_records(connection, catalog, entity, sources)
    members: defaultdict[int, list[SurveyedRecord]] = defaultdict(list)
    for record, thing in zip(read.records, same_things(entity, read.records), strict=True):
        members[thing].append(record)
    by_system: defaultdict[str, set[int]] = defaultdict(set)
    for thing, of_thing in members.items():
        for record in of_thing:
            by_system[record.system].add(thing)
    records = Counter(record.system for record in read.records)
    identified = Counter(
        record.system
        for record in read.records
        if any(identifier(record, parts) is not None for parts in entity.identity.identifiers)
    )
    latest = {name for name, attribute in entity.attributes.items() if attribute.survivorship == "latest"}
    every = [_said(of_thing) for of_thing in members.values()]
    told = [{name: each for name, each in said.items() if name not in latest} for said in every]
    said = dict(zip(members, told, strict=True))
    return EntityMet(
        entity.entity,
        tuple(sources),
        dict(records),
        {system: identified[system] for system in records},
        len(members),
        _conflicts(entity, members.values()),
        tuple(_pairs(entity.entity, by_system, said)),
        tuple(_quality({key: each for key, each in read.filled.items() if key[1] not in latest}, said, records)),
        _newest([said[name] for said in every for name in latest if name in said]),
    )


def _newest(times: Iterable[Mapping[str, set[str]]]) -> dict[str, float]:
    """By system, from the times of the last change that each gives a thing: how often its own is the last."""
    compared: Counter[str] = Counter()
    last: Counter[str] = Counter()
    for systems in times:
        if len(systems) > 1:
            compared.update(systems.keys())
            last[max(systems, key=lambda system: max(systems[system]))] += 1
    return {system: last[system] / count for system, count in compared.items()}


Said = Mapping[str, Mapping[str, set[str]]]
"""What is said of one thing: the values, by attribute and system."""


def _said(records: Iterable[SurveyedRecord]) -> Said:
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for record in records:
        for name, value in record.values.items():
            found[name][record.system].add(value)
    return {name: dict(systems) for name, systems in found.items()}


def _conflicts(entity: Entity, things: Iterable[Sequence[SurveyedRecord]]) -> dict[str, int]:
    alone = [parts[0] for parts in entity.identity.identifiers if len(parts) == 1]
    counted: Counter[str] = Counter()
    for records in things:
        for name in alone:
            counted[name] += len({record.values[name] for record in records if name in record.values}) > 1
    return {name: count for name, count in counted.items() if count}


def _pairs(entity: str, by_system: Mapping[str, set[int]], said: Mapping[int, Said]) -> Iterable[Pair]:
    for one, other in combinations(sorted(by_system), 2):
        shared = by_system[one] & by_system[other]
        both: defaultdict[str, int] = defaultdict(int)
        same: defaultdict[str, int] = defaultdict(int)
        for group in shared:
            for name, systems in said[group].items():
                if one in systems and other in systems:
                    both[name] += 1
                    same[name] += not systems[one].isdisjoint(systems[other])
        agreements = tuple(Agreement(name, count, same[name]) for name, count in sorted(both.items()))
        yield Pair(entity, one, other, len(by_system[one]), len(by_system[other]), len(shared), agreements)


def _quality(
    filled: Mapping[tuple[str, str], Filled],
    said: Mapping[int, Said],
    records: Mapping[str, int],
) -> Iterable[AttributeQuality]:
    compared: defaultdict[tuple[str, str], int] = defaultdict(int)
    agreeing: defaultdict[tuple[str, str], int] = defaultdict(int)
    for attributes in said.values():
        for name, systems in attributes.items():
            if len(systems) < 2:
                continue
            for system, mine in systems.items():
                others = [each for other, each in systems.items() if other != system]
                compared[system, name] += 1
                agreeing[system, name] += 2 * sum(not mine.isdisjoint(each) for each in others) >= len(others)
    for (system, name), full in sorted(filled.items(), key=lambda item: (item[0][1], item[0][0])):
        key = system, name
        yield AttributeQuality(
            name, system, records[system], full.filled, full.understood, compared[key], agreeing[key]
        )
