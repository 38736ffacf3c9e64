"""Makes the report: finds the person as an erasure would (privacy/), and reads all that is kept of them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from onefold.audit import AuditEvent, append
from onefold.audit.chain import Scalar
from onefold.catalog.data_protection import class_periods, stream_periods
from onefold.catalog.entity import Entity
from onefold.catalog.privacy import DataProtection
from onefold.catalog.reader import Catalog
from onefold.catalog.stream import Stream
from onefold.catalog.target_reader import read_targets
from onefold.conform.provenance import trace_provenance
from onefold.errors import Fatal
from onefold.load.person import find_everywhere, find_person, find_received
from onefold.privacy.personal_fields import Path, personal_fields, places_of
from onefold.privacy.records import GoldenId
from onefold.privacy.subject import Subject
from onefold.privacy.values import PersonalValue
from onefold.subject_report.model import (
    AttributeSource,
    GoldenReport,
    GoldenVersion,
    Mention,
    ReceivedRecord,
    RecordVersion,
    SourceRecord,
    SubjectReport,
    WaitingRecord,
)
from onefold.subject_report.others import Others, other_people
from onefold.subject_report.written_out import written_out
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

_AUTHORITY = "in Poland the President of the Personal Data Protection Office (UODO)"
RIGHTS = (
    "You may ask for rectification or erasure of your data or a restriction of its processing (Art. 16 to 18 GDPR).",
    "You may object to processing that is based on legitimate interests or a public task (Art. 21 GDPR).",
    f"You may lodge a complaint with a supervisory authority, {_AUTHORITY}.",
    "Your data comes from the systems that are named with each record.",
    "No decision is based solely on automated processing of it here (Art. 22 GDPR).",
)


def make_subject_report(
    connection: psycopg.Connection,
    catalog: Catalog,
    said: DataProtection,
    values: Iterable[PersonalValue],
    actor: str,
    *,
    golden: GoldenId | None = None,
) -> SubjectReport:
    """The report, of one moment; that it was made is in the audit chain before it is returned.

    Raises Fatal when nobody is named, or nothing of the person is found.
    """
    given = frozenset(values)
    if not given and not golden:
        raise Fatal("Nobody is named: give an e-mail address, a PESEL or a golden record. No report was made.")
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        subject = find_person(connection, catalog, given, golden=golden)
        report = _make(connection, catalog, said, subject)
        if not (report.records or report.golden or report.waiting or report.received or report.mentions):
            raise Fatal(
                "Nothing of this person is in the warehouse, by what was given. Try another address or number of "
                "theirs; if there is none, that is the answer to the request."
            )
    append(connection, _event(actor, subject, report))
    return report


def _event(actor: str, subject: Subject, report: SubjectReport) -> AuditEvent:
    golden = [f"{entity}/{golden_id}" for entity, golden_id in sorted(subject.golden)]
    payload: dict[str, Scalar | Sequence[Scalar]] = {"golden": golden, **report.counts()}
    return AuditEvent(actor, "subject.report", f"report:{report.report_id}", payload=payload)


def _make(connection: psycopg.Connection, catalog: Catalog, said: DataProtection, subject: Subject) -> SubjectReport:
    others = other_people(connection, catalog, subject)
    records = [_record(connection, catalog, said, others, *record) for record in sorted(subject.records)]
    return SubjectReport(
        report_id=str(uuid.uuid4()),
        made_at=datetime.now(UTC),
        controller=said.controller.name,
        contact=said.controller.contact,
        data_protection_officer=said.controller.data_protection_officer,
        known_by=sorted(f"{value.kind}: {value.text}" for value in subject.values),
        golden=[
            _golden(connection, catalog.entities[entity], others, golden_id)
            for entity, golden_id in sorted(subject.golden)
        ],
        records=[record for record in records if record.versions],
        waiting=[
            waiting for record in sorted(subject.records) for waiting in _waiting(connection, catalog, others, *record)
        ],
        received=list(_received_records(connection, catalog, others, subject)),
        written_out=list(written_out(connection, read_targets(catalog), subject)),
        mentions=_mentions(connection, catalog, subject),
        recipients=list(said.recipients),
        transfers=list(said.transfers),
        rights=list(RIGHTS),
    )


def _record(
    connection: psycopg.Connection,
    catalog: Catalog,
    said: DataProtection,
    others: Others,
    system: str,
    name: str,
    key: str,
) -> SourceRecord:
    stream = catalog.systems[system].streams[name]
    own, fields = _own_places(catalog, system, name, stream), personal_fields(stream)
    table = StagingTable(system, name).versions
    query = sql.SQL("select _extracted_at, _load_id, _deleted, _payload from {} where _key = %s order by _load_id desc")
    (is_there,) = one_row(connection.execute("select to_regclass(%s)", (table.as_string(connection),)))
    rows = connection.execute(query.format(table), (key,)).fetchall() if is_there else []
    versions = [
        RecordVersion(received_at, load_id, place == 0, deleted, others.readable_values(payload, fields, own))
        for place, (received_at, load_id, deleted, payload) in enumerate(rows)
    ]
    privacy, periods = stream.privacy, stream_periods(stream, said)
    basis = f"{privacy.legal_basis}{f': {privacy.law}' if privacy.law else ''}" if privacy else None
    return SourceRecord(
        system=system,
        title=f"{catalog.systems[system].title}: {stream.title}",
        stream=f"{system}.{name}",
        key=key,
        purpose=privacy.purpose if privacy else None,
        legal_basis=basis,
        recipients=list(privacy.recipients) if privacy else [],
        days_replaced=periods.history.days,
        days_replaced_by_class={each: period.days for each, period in class_periods(stream).items()},
        days_after_deletion=periods.deleted.days,
        versions=versions,
    )


def _waiting(
    connection: psycopg.Connection, catalog: Catalog, others: Others, system: str, name: str, key: str
) -> Iterator[WaitingRecord]:
    stream = catalog.systems[system].streams[name]
    own, fields = _own_places(catalog, system, name, stream), personal_fields(stream)
    rows = connection.execute(
        "select _extracted_at, state, expectation, payload from ops.quarantine"
        " where system = %s and stream = %s and _key = %s and payload is not null order by quarantine_id desc",
        (system, name, key),
    ).fetchall()
    for received_at, state, expectation, payload in rows:
        values = others.readable_values(payload, fields, own)
        yield WaitingRecord(f"{system}.{name}", received_at, state, expectation, values)


def _received_records(
    connection: psycopg.Connection, catalog: Catalog, others: Others, subject: Subject
) -> Iterator[ReceivedRecord]:
    for event in find_received(connection, catalog, subject):
        for each in event.own:
            system, name, _ = each.record
            stream = catalog.systems[system].streams[name]
            own, fields = _own_places(catalog, system, name, stream), personal_fields(stream)
            if values := others.readable_values(each.payload, fields, own):
                yield ReceivedRecord(f"{system}.{name}", event.received_at, values)


def _golden(connection: psycopg.Connection, entity: Entity, others: Others, golden_id: str) -> GoldenReport:
    name = entity.entity
    columns = sql.SQL(", ").join(sql.SQL("v.{}::text").format(sql.Identifier(each)) for each in entity.attributes)
    rows = connection.execute(
        sql.SQL(
            "select p.ended_at, e.ended_at, {columns} from conformed.{version} v"
            " join ops.publish p on p.publish_id = v._publish_id"
            " left join ops.publish e on e.publish_id = v._ended_publish_id"
            " where v.{id}::text = %s order by v._publish_id desc"
        ).format(columns=columns, version=sql.Identifier(f"{name}_version"), id=sql.Identifier(f"{name}_id")),
        (golden_id,),
    ).fetchall()
    person = {*entity.person.identifiers, *entity.person.names} if entity.person else set()
    versions = [
        GoldenVersion(
            since,
            until,
            {
                attribute: others.without_others(text, is_own=attribute in person)
                for attribute, text in zip(entity.attributes, texts, strict=True)
                if text is not None
            },
        )
        for since, until, *texts in rows
    ]
    sources = [
        AttributeSource(
            each.attribute, each.system, f"{each.system}.{each.stream}", each.field, _received(connection, each.load_id)
        )
        for each in trace_provenance(connection, entity, golden_id)
    ]
    return GoldenReport(name, entity.title, golden_id, [each for each in versions if each.values], sources)


def _received(connection: psycopg.Connection, load_id: int) -> datetime | None:
    row = connection.execute("select ended_at from ops.load where load_id = %s", (load_id,)).fetchone()
    return row[0] if row else None


def _mentions(connection: psycopg.Connection, catalog: Catalog, subject: Subject) -> list[Mention]:
    """Rows of others, by where they are; in staging and its like by stream, else by table."""
    rows: Counter[tuple[str, str]] = Counter()
    fields: dict[tuple[str, str], set[str]] = {}
    for place in find_everywhere(connection, catalog, subject):
        if place.own:
            continue
        table = place.table
        if table.system and table.stream:
            system = catalog.systems[table.system]
            where = (f"{table.system}.{table.stream}", f"{system.title}: {system.streams[table.stream].title}")
        elif table.entity:
            where = (table.entity.entity, table.entity.title)
        else:
            where = (table.full_name, table.full_name)
        rows[where] += 1
        fields.setdefault(where, set()).update(place.fields | place.kept)
    return [Mention(*where, count, sorted(fields[where])) for where, count in sorted(rows.items())]


def _own_places(catalog: Catalog, system: str, name: str, stream: Stream) -> list[Path]:
    """Where in the stream's records the identifiers and names of the person whose record it is stand."""
    found: list[Path] = []
    for entity in catalog.entities.values():
        for attribute in (*entity.person.identifiers, *entity.person.names) if entity.person else ():
            rule = entity.attributes[attribute].sources.get(f"{system}.{name}")
            found += [places_of(each, stream.fields[each])[0] for each in (rule.fields if rule else ())]
    return found
