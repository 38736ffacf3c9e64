"""The record of processing activities (Article 30(1) GDPR), made from the catalogue.

An activity is what one system's streams are processed for: streams of one system that say the same purpose, basis and
persons are one activity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby

from onefold.catalog.data_protection import class_periods, personal_classes, stream_periods
from onefold.catalog.fields import PersonalClass
from onefold.catalog.privacy import DataProtection, StreamPrivacy
from onefold.catalog.reader import Catalog
from onefold.catalog.stream import Stream
from onefold.catalog.system import System

BASES = {
    "consent": "Art. 6(1)(a) consent",
    "contract": "Art. 6(1)(b) contract",
    "legal_obligation": "Art. 6(1)(c) legal obligation",
    "vital_interests": "Art. 6(1)(d) vital interests",
    "public_task": "Art. 6(1)(e) public task",
    "legitimate_interests": "Art. 6(1)(f) legitimate interests",
}
CLASSES: dict[PersonalClass, str] = {
    "organisation": "data of organisations, which may be one person",
    "contact": "names, addresses and contact data",
    "identity": "identification numbers and user names",
    "sensitive": "data that needs particular care, as pay, birth dates, national identification numbers",
}


@dataclass(frozen=True, slots=True)
class ProcessedStream:
    """One stream of an activity: its personal fields by class, and how long what is not current is kept, in days; of
    replaced versions the values of some classes for less."""

    stream: str
    title: str
    data: dict[PersonalClass, list[str]]
    days_replaced: int
    days_replaced_by_class: dict[PersonalClass, int]
    days_after_deletion: int
    days_in_quarantine: int
    days_waiting: int
    kept_by_law: str | None
    entities: list[str]


@dataclass(frozen=True, slots=True)
class Activity:
    """One processing activity: why, on which basis, of whom, what, for whom, how long."""

    system: str
    title: str
    purpose: str
    legal_basis: str
    law: str | None
    persons: list[str]
    recipients: list[str]
    streams: list[ProcessedStream]


@dataclass(frozen=True, slots=True)
class ProcessingRecord:
    """The whole record."""

    controller: str
    contact: str
    data_protection_officer: str | None
    transfers: list[str]
    safeguards: list[str]
    activities: list[Activity]

    def as_json(self) -> dict[str, object]:
        """As plain JSON."""
        return asdict(self)


def make_processing_record(catalog: Catalog, said: DataProtection) -> ProcessingRecord:
    """The record of all streams with personal fields; `said` and the streams have passed check_data_protection()."""
    return ProcessingRecord(
        controller=said.controller.name,
        contact=said.controller.contact,
        data_protection_officer=said.controller.data_protection_officer,
        transfers=list(said.transfers),
        safeguards=list(said.safeguards),
        activities=[activity for system in catalog.systems.values() for activity in _activities(catalog, system, said)],
    )


def _activities(catalog: Catalog, system: System, said: DataProtection) -> Iterator[Activity]:
    streams = [
        (stream.privacy, name, stream)
        for name, stream in system.streams.items()
        if stream.privacy and personal_classes(stream)
    ]
    streams.sort(key=lambda each: _what_for(each[0]))
    for _, group in groupby(streams, key=lambda each: _what_for(each[0])):
        alike = list(group)
        privacy = alike[0][0]
        yield Activity(
            system=system.system,
            title=system.title,
            purpose=privacy.purpose or "",
            legal_basis=BASES.get(privacy.legal_basis or "", ""),
            law=privacy.law,
            persons=list(privacy.persons),
            recipients=[*privacy.recipients, *said.recipients],
            streams=[_processed(catalog, system.system, name, stream, said) for _, name, stream in alike],
        )


def _what_for(privacy: StreamPrivacy) -> tuple[str, ...]:
    return (
        *(privacy.purpose or "", privacy.legal_basis or "", privacy.law or ""),
        *privacy.persons,
        *privacy.recipients,
    )


def _processed(catalog: Catalog, system: str, name: str, stream: Stream, said: DataProtection) -> ProcessedStream:
    periods = stream_periods(stream, said)
    law = stream.kept_by_law
    return ProcessedStream(
        stream=f"{system}.{name}",
        title=stream.title,
        data=personal_classes(stream),
        days_replaced=periods.history.days,
        days_replaced_by_class={name: period.days for name, period in class_periods(stream).items()},
        days_after_deletion=periods.deleted.days,
        days_in_quarantine=periods.quarantine.days,
        days_waiting=periods.waiting.days,
        kept_by_law=f"{law.basis}: {', '.join(law.fields)}, {law.years} years" if law else None,
        entities=[entity.entity for entity in catalog.entities.values() if f"{system}.{name}" in entity.streams],
    )


def as_markdown(record: ProcessingRecord) -> str:
    """The record for people, as Markdown."""
    return "\n".join(_lines(record)) + "\n"


def _lines(record: ProcessingRecord) -> Iterator[str]:
    yield from ("# Record of processing activities", "", "Article 30(1) of Regulation (EU) 2016/679 (GDPR).", "")
    yield from ("| | |", "|---|---|", f"| Controller | {_cell(record.controller)} |")
    yield f"| Contact | {_cell(record.contact)} |"
    yield f"| Data protection officer | {_cell(record.data_protection_officer or 'none')} |"
    yield f"| Transfers outside the EEA | {_cell('; '.join(record.transfers) or 'none')} |"
    yield from ("", "## Technical and organisational measures", "")
    yield from (f"- {each}" for each in record.safeguards)
    for activity in record.activities:
        yield from ("", f"## {activity.title}: {activity.purpose}", "", "| | |", "|---|---|")
        basis = activity.legal_basis + (f": {activity.law}" if activity.law else "")
        yield f"| Legal basis | {_cell(basis)} |"
        yield f"| Persons | {_cell('; '.join(activity.persons))} |"
        yield f"| Recipients | {_cell('; '.join(activity.recipients))} |"
        yield from ("", "| Records | Categories of data | Joined into | Erased |", "|---|---|---|---|")
        yield from (_row(stream) for stream in activity.streams)


def _row(stream: ProcessedStream) -> str:
    data = "; ".join(f"{CLASSES[name]} ({', '.join(fields)})" for name, fields in stream.data.items())
    sooner = "".join(
        f", {CLASSES[name]} in them after {days:,}" for name, days in stream.days_replaced_by_class.items()
    )
    erased = (
        f"replaced versions after {stream.days_replaced:,} days{sooner}; {stream.days_after_deletion:,} days after the "
        f"source has deleted the record; in quarantine after {stream.days_in_quarantine:,} days, unrepaired after "
        f"{stream.days_waiting:,}" + (f". By law kept: {stream.kept_by_law}" if stream.kept_by_law else "")
    )
    cells = (f"{_cell(stream.title)} (`{stream.stream}`)", _cell(data), _entities(stream.entities), _cell(erased))
    return f"| {' | '.join(cells)} |"


def _entities(entities: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in entities) or "-"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
