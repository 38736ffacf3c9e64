"""Risks of the interfaces, and in which order to integrate: the entity first that most systems agree on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.mapping_proposal.reasons import percent
from onefold.survey.shared_records import EntityMet
from onefold.survey.stream_facts import StreamFacts

DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Risk:
    """What may go wrong with a stream, and what to do about it."""

    stream: str
    what: str


@dataclass(frozen=True, slots=True)
class Phase:
    """What to integrate together, and why then."""

    entities: tuple[str, ...]
    systems: tuple[str, ...]
    why: str


def risks(system: System, facts: StreamFacts) -> Iterator[Risk]:
    """Of one stream."""
    stream, read, name = system.streams[facts.read.stream], facts.read, facts.read.name
    if read.not_read:
        yield Risk(name, f"not read: {read.not_read}")
        return
    if read.not_counted:
        yield Risk(name, f"not counted by the source: {read.not_counted}")
    if stream.cursor is None and not stream.lookup:
        yield Risk(name, "no cursor: every load reads all of it; ask for a field that says when a record was changed")
    deletes = stream.deletes
    if not (deletes.flag or deletes.tombstones or deletes.complete_group or stream.retention_limited or stream.lookup):
        yield Risk(name, "no sign of deletions: what is gone at the source stays here; compare its keys now and then")
    if stream.retention_limited:
        yield Risk(name, "the source keeps its records for a limited time: what is not loaded in time is lost")
    if read.keyless:
        yield Risk(name, f"{read.keyless} of {read.records} records lack the primary key: they would go to quarantine")
    if facts.repeated_keys and stream.cursor is None:
        yield Risk(name, f"{facts.repeated_keys} keys are there more than once: check primary_key")
    yield from _quota(system, facts)
    for field in facts.fields:
        if field.looks_like:
            yield Risk(name, f"{field.name} looks like {field.looks_like} and has no class of personal data: class it")
    sensitive = [field.name for field in facts.fields if field.personal == "sensitive" and field.filled]
    if sensitive:
        yield Risk(
            name, f"sensitive personal data ({', '.join(sensitive)}): needed at all? If not, leave the fields out"
        )


def _quota(system: System, facts: StreamFacts) -> Iterator[Risk]:
    read = facts.read
    requests = requests_for_all(facts)
    if requests is None:
        return
    if read.quota and requests > read.quota - (read.quota_used or 0):
        yield Risk(read.name, f"a first load takes some {requests:,} requests, and {read.quota:,} are allowed a day")
    seconds = requests * read.milliseconds / 1000 / read.requests if read.requests else 0.0
    if seconds > DAY / 4:
        yield Risk(read.name, f"a first load takes some {seconds / 3600:,.0f} hours: load it in windows (migrate)")


def requests_for_all(facts: StreamFacts) -> int | None:
    """About how many requests a first load takes; None where nobody knows how much there is."""
    read = facts.read
    total = read.counted if read.counted is not None else read.records if read.complete else None
    return None if total is None or not read.records else max(1, round(total * read.pages / read.records))


def phases(entities: Mapping[str, Entity], met: Sequence[EntityMet]) -> list[Phase]:
    """The pilot first: what most systems hold and tell apart by identifiers; then what refers to it; then the rest."""
    if not met:
        return []
    pilot = max(met, key=lambda each: (_readiness(each, _referring(entities, each.entity)), each.entity))
    referring = {
        each.entity for each in met if each is not pilot and pilot.entity in entities[each.entity].referenced.values()
    }
    further = {
        each.entity
        for each in met
        if each is not pilot and not referring.isdisjoint(entities[each.entity].referenced.values())
    } - referring
    rest = [each for each in met if each is not pilot and each.entity not in referring | further]
    shared = max((pair.shared for pair in pilot.pairs), default=0)
    records = sum(pilot.records.values())
    identified = percent(sum(pilot.identified.values()) / records if records else 0.0)
    found = [
        Phase(
            (pilot.entity,),
            _systems([pilot]),
            f"the pilot: {len(pilot.records)} systems hold it, {identified} of its records have a "
            f"strong identifier, the two that share most have {shared:,} in common, so that the gain shows at once, "
            f"and {_referring(entities, pilot.entity)} other entities refer to it",
        )
    ]
    second = [each for each in met if each.entity in referring | further]
    if second:
        found.append(
            Phase(_names(second), _systems(second), f"they refer to {pilot.entity}, directly or by each other")
        )
    several = [each for each in rest if len(each.records) > 1]
    if several:
        found.append(
            Phase(_names(several), _systems(several), "several systems hold them; nothing else waits for them")
        )
    alone = [each for each in rest if len(each.records) <= 1]
    if alone:
        found.append(
            Phase(_names(alone), _systems(alone), "one system each: no records to join, little risk, any time")
        )
    return found


def _readiness(met: EntityMet, referring: int) -> float:
    """How good a pilot it is: systems that hold it, times the share of records that an identifier tells apart, times
    how much the systems have in common, times how many entities wait for it."""
    records = sum(met.records.values())
    identified = sum(met.identified.values()) / records if records else 0.0
    common = sum(pair.shared for pair in met.pairs) / records if records else 0.0
    return len(met.records) * identified * (0.1 + common) * (1 + referring)


def _referring(entities: Mapping[str, Entity], name: str) -> int:
    return sum(name in entity.referenced.values() for entity in entities.values() if entity.entity != name)


def _names(met: Sequence[EntityMet]) -> tuple[str, ...]:
    return tuple(sorted(each.entity for each in met))


def _systems(met: Sequence[EntityMet]) -> tuple[str, ...]:
    return tuple(sorted({system for each in met for system in each.records}))
