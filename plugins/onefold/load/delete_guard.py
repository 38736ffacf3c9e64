"""The guard of deletions: a listing that suddenly lacks much of what is known is rather wrong than right.

A source that answers with an empty list, a filter that somebody changed, a login that sees less: each looks like the
deletion of everything. Such a listing is refused with its counts until a person accepts it, once and for so many.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.audit import AuditEvent, append
from onefold.catalog.stream import Stream
from onefold.errors import Rejected
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

FEW = 10
"""So many missing records never refuse a listing: of a stream of twenty, five are a quarter."""


@dataclass(frozen=True, slots=True)
class Missing:
    """How many of the stream's `known` records a listing lacks; `empty`: it has not one record."""

    records: int
    known: int
    empty: bool

    def is_too_much(self, max_share: float) -> bool:
        """Whether somebody has to say that it is right."""
        if self.empty:
            return self.records > 0
        return self.records > FEW and self.records > max_share * self.known


def is_listing(stream: Stream) -> bool:
    """Whether partitions of the stream, read whole, are listings that the guard is for.

    A look-up's are not: each is what the source says of one value. Nor are those of records within others: each is
    what it says of the one record that they are in. Below a parent they are part of what is listed there.
    """
    return stream.lookup is None and (stream.nested is None or stream.parent is not None)


def count_missing(connection: psycopg.Connection, load: Load, *, empty: bool) -> Missing:
    """Of the stream's current records, those that have just been landed as missing from the listing."""
    staging = StagingTable(load.system, load.stream)
    records, known = one_row(
        connection.execute(
            sql.SQL(
                """
                select count(*) filter (where exists (
                           select from {pages} read where read._key = held._key and read._deleted
                           and read._hash = decode(md5('gone' || held._payload::text), 'hex'))),
                       count(*)
                from {current} held where not held._deleted
                """
            ).format(pages=load.tables.pages, current=staging.current)
        )
    )
    return Missing(records, known, empty)


def allow(connection: psycopg.Connection, job: Job, load: Load, missing: Missing) -> bool:
    """Whether the deletions may be landed. Acceptance is written into the audit trail, with who gave it."""
    if not missing.is_too_much(job.stream.deletes.max_share):
        return True
    if job.accept_deletes is None or missing.records > job.accept_deletes:
        return False
    event = AuditEvent(
        actor=job.run.actor,
        action="deletes.accept",
        subject=f"load:{load.load_id}",
        from_=job.name,
        to=f"staging.{job.table.name}",
        payload={
            "system": load.system,
            "stream": load.stream,
            "missing": missing.records,
            "known": missing.known,
            "accepted": job.accept_deletes,
        },
    )
    append(connection, event)
    return True


def refuse(connection: psycopg.Connection, job: Job, load: Load, missing: Missing) -> Rejected:
    """Write down the refusal, for the alert; returns the error that ends the load."""
    connection.execute(
        "insert into ops.deletes_refused (load_id, system, stream, missing, known) values (%s, %s, %s, %s, %s)"
        " on conflict (load_id) do update set missing = excluded.missing, known = excluded.known, at = now()",
        (load.load_id, load.system, load.stream, missing.records, missing.known),
    )
    share = job.stream.deletes.max_share
    why = "is empty, and" if missing.empty else f"lacks more than {share:.0%} of what is known (deletes.max_share):"
    before = f" Accepted were {job.accept_deletes:,}." if job.accept_deletes is not None else ""
    return Rejected(
        f"{job.name}: the listing {why} {missing.records:,} of {missing.known:,} records would be deleted.{before} "
        "Nothing was deleted and nothing published. See whether the source answers with all that it has (a filter, a "
        f"login that sees less). If they are really gone, accept it once: {job.accept_command(missing.records)}"
    )
