"""The report on one person, as it is handed out. Its values are the person's: no repr shows them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """A record as it was received once: when, in which load, and each of its values by field."""

    received_at: datetime
    load_id: int
    current: bool
    deleted: bool
    values: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record about the person, in all versions that are kept, the newest first; why, for whom, how long."""

    system: str
    title: str
    stream: str
    key: str = field(repr=False)
    purpose: str | None
    legal_basis: str | None
    recipients: list[str]
    days_replaced: int
    days_replaced_by_class: dict[str, int]
    days_after_deletion: int
    versions: list[RecordVersion]


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """A record about the person that failed a check and is kept apart from what is published."""

    stream: str
    received_at: datetime
    state: str
    reason: str
    values: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A record about the person as its sender posted it, for as long as it may be loaded again."""

    stream: str
    received_at: datetime
    values: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class GoldenVersion:
    """What the systems' records gave together, from a publish until another one (None: still)."""

    since: datetime
    until: datetime | None
    values: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AttributeSource:
    """Where one attribute comes from today."""

    attribute: str
    system: str
    stream: str
    field: str | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class GoldenReport:
    """One golden record of the person: its history, the newest first, and where today's values come from."""

    entity: str
    title: str
    golden_id: str
    versions: list[GoldenVersion]
    sources: list[AttributeSource]


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """That another system was given the person's golden record: when, what was done there, and which of its fields; its
    values are those of the golden record at that time."""

    target: str
    title: str
    object: str
    key: str | None = field(repr=False)
    change: str
    at: datetime
    fields: list[str]


@dataclass(frozen=True, slots=True)
class Mention:
    """Other rows in which a value of the person stands. They are about others and are not shown."""

    where: str
    title: str
    rows: int
    fields: list[str]


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """All of it. known_by: the values by which the person was looked for, in their normal form."""

    report_id: str
    made_at: datetime
    controller: str
    contact: str
    data_protection_officer: str | None
    known_by: list[str] = field(repr=False)
    golden: list[GoldenReport]
    records: list[SourceRecord]
    waiting: list[WaitingRecord]
    received: list[ReceivedRecord]
    written_out: list[WrittenOut]
    mentions: list[Mention]
    recipients: list[str]
    transfers: list[str]
    rights: list[str]

    def as_json(self) -> dict[str, object]:
        """As plain JSON values; times are datetimes."""
        return asdict(self)

    def counts(self) -> dict[str, int]:
        """How much there is, without a value: for the audit chain."""
        return {
            "golden_records": len(self.golden),
            "golden_versions": sum(len(each.versions) for each in self.golden),
            "records": len(self.records),
            "versions": sum(len(each.versions) for each in self.records),
            "waiting": len(self.waiting),
            "received": len(self.received),
            "written_out": len(self.written_out),
            "mentions": sum(each.rows for each in self.mentions),
        }
