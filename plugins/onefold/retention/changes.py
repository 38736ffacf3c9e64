"""The past of a stream that stores every change: as the versions that others have replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import psycopg
from psycopg import sql

from onefold.catalog.data_protection import class_periods
from onefold.catalog.privacy import ClassRetention
from onefold.catalog.stream import Stream
from onefold.retention.class_values import class_purge
from onefold.retention.horizon import Protected, load_horizon
from onefold.retention.purge import RowPurge, make_purge

_CHANGES = """
select ctid from staging.change where system = {system} and stream = {stream} and _load_id < {horizon}
"""
_OF_DELETED = """
select c.ctid from staging.change c join ({tombstones}) t on t._key = c._key
where c.system = {system} and c.stream = {stream} and c._load_id < {deleted_horizon}
"""
_DELETE = "delete from staging.change where ctid = any (array({due} limit {batch}))"
_PAST = """
select system, stream, _key, _load_id, _number, _payload as record from staging.change
where system = {system} and stream = {stream} and _load_id < {horizon}
"""
_ALL = """
select count(*), (select l.ended_at from ops.load l where l.load_id = min(c._load_id)) from staging.change c
where c.system = {system} and c.stream = {stream}
"""


def change_purges(
    connection: psycopg.Connection,
    system: str,
    name: str,
    stream: Stream,
    periods: ClassRetention,
    protected: Protected,
    names: Mapping[str, sql.Composable],
    now: datetime,
) -> Iterator[RowPurge]:
    """What may be due of the changes; `names` are those of stream_purges."""
    subject = f"{system}.{name}"
    yield make_purge("history", subject, periods.history, _ALL, _CHANGES, _DELETE, names)
    for data_class, period in class_periods(stream).items():
        horizon = load_horizon(connection, system, name, protected, now - period)
        if of_class := class_purge(
            *("history", subject, stream, data_class, period),
            table=sql.Identifier("staging", "change"),
            payload="_payload",
            deleted=sql.SQL("held._deleted"),
            ids=("system", "stream", "_key", "_load_id", "_number"),
            rows=sql.SQL(_PAST).format(**{**names, "horizon": sql.Literal(horizon)}),
            all_rows=sql.SQL(_ALL).format(**names),
        ):
            yield of_class
    yield make_purge("deleted", subject, periods.deleted, _ALL, _OF_DELETED, _DELETE, names)
