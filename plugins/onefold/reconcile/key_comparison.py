"""Compares the pages of a source with staging, key by key. Only the differences are stored.

Each page is compared when it arrives, by an index, so that memory and disk hold one page and the keys that were read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.connectors.cursor import cursor_text
from onefold.connectors.page import Page
from onefold.connectors.window import BEGINNING, Window
from onefold.load.copy_rows import record_hash
from onefold.load.row_content import content_sql
from onefold.quality.partial import is_partial
from onefold.warehouse.tables import StagingTable


def is_timed(stream: Stream) -> bool:
    """Whether the stream's cursor is a time, so that a window selects a part of the stream."""
    return stream.cursor is not None and stream.cursor.kind != "integer"


class KeyComparison:
    """One comparison, in temporary tables of the session, which must be in autocommit."""

    def __init__(self, connection: psycopg.Connection, table: StagingTable, stream: Stream) -> None:
        self._connection = connection
        self._stream = stream
        self._names = {
            "staging": table.versions,
            "current": table.current,
            "system": sql.Literal(table.system),
            "stream": sql.Literal(table.stream),
            "held": content_sql("held._payload", stream),
            "quarantined": content_sql("q.payload", stream),
            "read": _laid_over("held._payload", stream),
            "read_as_quarantined": _laid_over("q.payload", stream),
            "since": sql.SQL("least(read._cursor::timestamptz, now())" if is_timed(stream) else "now()"),
        }
        self.started_at = datetime.now(UTC)
        self.records = 0
        connection.execute(_TABLES)

    def add_page(self, page: Page) -> None:
        """Compare one page's records with staging."""
        self.records += len(page.records)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute("truncate read_page")
            with cursor.copy("copy read_page from stdin") as copy:
                for record in page.records:
                    if record.key is not None and "\0" not in record.key:
                        text = record.payload.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
                        hashed = record_hash(record.payload, record.deleted)
                        copy.write_row((record.key, record.cursor, record.deleted, hashed, text))
            cursor.execute("insert into read_key select distinct _key from read_page on conflict do nothing")
            names = self._names | {"cursor_day": self._cursor_day("read._cursor")}
            cursor.execute(_FIND_DIFFERENT.format(**names))

    def find_deleted(self, windows: Sequence[Window]) -> None:
        """Find the records of these windows that are in staging and on no page.

        Not where the source keeps its records for a limited time.
        """
        if self._stream.retention_limited:
            return
        for window in windows:
            names = self._names | {"cursor_day": self._cursor_day("held._cursor"), "in_window": self._in_window(window)}
            self._connection.execute(_FIND_DELETED.format(**names), {"started_at": self.started_at})

    def _cursor_day(self, cursor: str) -> sql.Composable:
        """The UTC day of the cursor; today where a record of a timed stream has none, because any load reads it."""
        return sql.SQL(f"coalesce(left({cursor}, 10)::date, current_date)" if is_timed(self._stream) else "null::date")

    def _in_window(self, window: Window) -> sql.Composable:
        """Whether a record in staging belongs to the window; all do where the cursor is not a time."""
        if not is_timed(self._stream):
            return sql.SQL("true")
        end = sql.SQL("held._cursor < {}").format(sql.Literal(cursor_text(window.end)))
        if window.start <= BEGINNING:
            return end
        return sql.SQL("held._cursor >= {} and {}").format(sql.Literal(cursor_text(window.start)), end)


def _laid_over(other: str, stream: Stream) -> sql.Composable:
    """What was read, whole: a reading of some fields only says that those are so, so it is laid over the other one."""
    read = content_sql("read._payload::jsonb", stream)
    if stream.partial_changes is None:
        return read
    return sql.SQL("case when {} then {} || {} else {} end").format(
        is_partial(stream, "read._payload::jsonb"), content_sql(other, stream), read, read
    )


_TABLES = """
drop table if exists read_page, read_key, difference;
create temporary table read_page (
    _key text collate "C", _cursor text collate "C", _deleted boolean, _hash bytea, _payload text
);
create temporary table read_key (_key text collate "C" primary key);
create temporary table difference (
    _key text collate "C" primary key, kind text not null, cursor_day date, since timestamptz not null
);
"""

_FIND_DIFFERENT = sql.SQL(
    """
    insert into difference (_key, kind, cursor_day, since)
    select distinct on (read._key) read._key,
           case when read._deleted then 'deleted' when held._key is null or held._deleted then 'missing'
                else 'changed' end,
           {cursor_day},
           -- same cursor, other content: the source does not say since when
           case when held._key is null or read._cursor > held._cursor then {since} else now() end
    from read_page read
    left join lateral (
        select * from {staging} version where version._key = read._key order by _load_id desc limit 1
    ) held on true
    where not (read._deleted and (held._key is null or held._deleted))
      and (
          held._key is null
          or (
              held._hash <> read._hash
              and (held._cursor is null or read._cursor is null or read._cursor >= held._cursor)
              and case when pg_input_is_valid(read._payload, 'jsonb')
                       then (held._deleted, {held}) is distinct from (read._deleted, {read}) else true end
          )
      )
      and not exists (
          select from ops.quarantine q
          where q.system = {system} and q.stream = {stream} and q.state = 'open' and q.attribute is null
            and (q._key = read._key or q._key is null)
            and (
                q._hash = read._hash
                or case when q._key is not null and pg_input_is_valid(read._payload, 'jsonb')
                        then {quarantined} = {read_as_quarantined} else false end
            )
      )
    order by read._key, read._cursor desc nulls last
    on conflict (_key) do update set kind = excluded.kind, cursor_day = excluded.cursor_day, since = excluded.since
    """
)
"""A record in quarantine is not missing, and one that is deleted on both sides does not differ."""

_FIND_DELETED = sql.SQL(
    """
    insert into difference (_key, kind, cursor_day, since)
    select held._key, 'deleted', {cursor_day}, now() from {current} held
    where not held._deleted and {in_window} and held._extracted_at < %(started_at)s
      and not exists (select from read_key read where read._key = held._key)
    on conflict (_key) do nothing
    """
)
