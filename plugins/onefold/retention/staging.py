"""A stream's past: versions that others have replaced, what the source has deleted, and superseded readings.

The newest version of a key stays, and with it all that the loads which may still be rolled back compare with. Of a
record that the source has deleted, the sign of its deletion stays, without content: key, cursor and hash, so that an
older reading that arrives late does not bring it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from onefold.catalog.data_protection import class_periods
from onefold.catalog.privacy import ClassRetention
from onefold.catalog.stream import Stream
from onefold.load.superseded import BUCKETS
from onefold.retention.changes import change_purges
from onefold.retention.class_values import class_purge
from onefold.retention.horizon import Protected, load_horizon
from onefold.retention.purge import RowPurge, Store, make_purge
from onefold.settings import settings
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

_NOT_REFERRED_TO = """
not exists (
    select from staging.unchanged u
    where u.system = {system} and u.stream = {stream} and u.bucket = hashtext(v._key) & ({buckets} - 1)
      and u.held_load = v._load_id and v._key = any (u.keys))
"""
"""A later load that read the same content keeps only a reference to the version (load/superseded.py)."""

_REPLACED = """
select v._key, v._load_id, v._payload as record from {versions} v
where v._load_id < {horizon}
  and exists (select from {versions} n where n._key = v._key and n._load_id > v._load_id and n._load_id < {horizon})
  and {not_referred_to}
"""
_TOMBSTONES = """
select t._key, t._load_id, t._payload from {versions} t
where t._deleted and t._load_id < {deleted_horizon}
  and not exists (select from {versions} n where n._key = t._key and n._load_id > t._load_id)
"""
"""The deletions that are the newest version of their key."""
_OF_DELETED = """
select v._key, v._load_id from ({tombstones}) t join {versions} v on v._key = t._key and v._load_id < t._load_id
where {not_referred_to}
"""
_WITH_CONTENT = "select t._key, t._load_id from ({tombstones}) t where t._payload - {keys}::text[] <> '{{}}'"
_MAPPED = """
select m._record from {mapped} m
where m._system = {system} and m._stream = {stream} and m._deleted and m._load_id < {deleted_horizon}
"""

_DELETE_VERSIONS = """
delete from {versions} v using ({due} limit {batch}) d where v._key = d._key and v._load_id = d._load_id
"""
_EMPTY_VERSIONS = """
update {versions} v set _withheld = null, _payload = (
    select coalesce(jsonb_object_agg(key, value), '{{}}') from jsonb_each(v._payload) where key = any ({keys}::text[]))
from ({due} limit {batch}) d where v._key = d._key and v._load_id = d._load_id
"""
_DELETE_MAPPED = "delete from {mapped} m using ({due} limit {batch}) d where m._record = d._record"
_DELETE_READINGS = """
delete from {readings_table} where ctid = any (array({due} limit {batch}))
"""
_READINGS = """
select ctid from {readings_table} where system = {system} and stream = {stream} and _load_id < {readings}
"""

_ALL = """
select count(*), (select l.ended_at from ops.load l where l.load_id = min(v._load_id)) from {versions} v
"""
_ALL_DELETED = _ALL + " where v._deleted"
_ALL_MAPPED = """
select count(*), (select l.ended_at from ops.load l where l.load_id = min(m._load_id)) from {mapped} m
where m._system = {system} and m._stream = {stream} and m._deleted
"""
_ALL_READINGS = """
select count(*), (select l.ended_at from ops.load l where l.load_id = min(r._load_id)) from {readings_table} r
where r.system = {system} and r.stream = {stream}
"""


def stream_purges(
    connection: psycopg.Connection,
    system: str,
    name: str,
    stream: Stream,
    entities: Sequence[str],
    periods: ClassRetention,
    protected: Protected,
    now: datetime,
) -> Iterator[RowPurge]:
    """What may be due of one stream in staging and mapped; `entities` are those that it feeds."""
    table = StagingTable(system, name)
    if not _exists(connection, table.versions):
        return
    names = {
        "system": sql.Literal(system),
        "stream": sql.Literal(name),
        "versions": table.versions,
        "buckets": sql.Literal(BUCKETS),
        "horizon": sql.Literal(load_horizon(connection, system, name, protected, now - periods.history)),
        "deleted_horizon": sql.Literal(load_horizon(connection, system, name, protected, now - periods.deleted)),
        "readings": sql.Literal(protected.readings),
        "keys": sql.Literal([key for key in stream.primary_key if stream.fields[key].path in (None, key)]),
    }
    names["not_referred_to"] = sql.SQL(_NOT_REFERRED_TO).format(**names)
    names["tombstones"] = sql.SQL(_TOMBSTONES).format(**names)

    def purge(
        store: Store, period: timedelta, all_rows: str, due: str, delete: str, **more: sql.Composable
    ) -> RowPurge:
        return make_purge(store, f"{system}.{name}", period, all_rows, due, delete, {**names, **more})

    yield purge("history", periods.history, _ALL, _REPLACED, _DELETE_VERSIONS)
    for data_class, period in class_periods(stream).items():
        horizon = load_horizon(connection, system, name, protected, now - period)
        if of_class := class_purge(
            *("history", f"{system}.{name}", stream, data_class, period),
            table=table.versions,
            payload="_payload",
            deleted=sql.SQL("held._deleted"),
            ids=("_key", "_load_id"),
            rows=sql.SQL(_REPLACED).format(**{**names, "horizon": sql.Literal(horizon)}),
            all_rows=sql.SQL(_ALL).format(**names),
        ):
            yield of_class
    if stream.versions == "every_change":
        yield from change_purges(connection, system, name, stream, periods, protected, names, now)
    yield purge("deleted", periods.deleted, _ALL_DELETED, _OF_DELETED, _DELETE_VERSIONS)
    yield purge("deleted", periods.deleted, _ALL_DELETED, _WITH_CONTENT, _EMPTY_VERSIONS)
    for entity in entities:
        mapped = sql.Identifier("mapped", f"{system}__{entity}")
        if _exists(connection, mapped):
            yield purge("deleted", periods.deleted, _ALL_MAPPED, _MAPPED, _DELETE_MAPPED, mapped=mapped)
    undo = timedelta(days=settings().rollback_days)
    for readings, period in (("unchanged", undo), ("superseded", 2 * undo)):
        readings_table = sql.Identifier("staging", readings)
        yield purge("superseded", period, _ALL_READINGS, _READINGS, _DELETE_READINGS, readings_table=readings_table)


def drop_empty_child_tables(connection: psycopg.Connection, system: str, stream: str, protected: Protected) -> int:
    """Drop what large loads brought as tables of their own (load/staging.py) and is empty now; how many went."""
    table = StagingTable(system, stream)
    children = connection.execute(
        "select c.relname, substring(c.relname from '__load_([0-9]+)$')::bigint from pg_inherits i"
        " join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass(%s)",
        (table.versions.as_string(connection),),
    ).fetchall()
    dropped = 0
    for child, load_id in children:
        name = sql.Identifier("staging", child)
        if load_id is None or load_id >= protected.first:
            continue
        if not one_row(connection.execute(sql.SQL("select exists (select from {})").format(name)))[0]:
            connection.execute(sql.SQL("drop table {}").format(name))
            dropped += 1
    return dropped


def _exists(connection: psycopg.Connection, table: sql.Identifier) -> bool:
    return one_row(connection.execute("select to_regclass(%s)", (table.as_string(connection),)))[0] is not None
