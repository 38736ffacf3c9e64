"""The rows of a table as a snapshot shows them, page by page in the order of the key."""

from __future__ import annotations

from collections.abc import Iterator

from onefold.catalog.system import System
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.sql.database import Database
from onefold.connectors.sql.query import Place, Query
from onefold.connectors.sql.reader import PageRows
from onefold.connectors.sql.relation import Rows, described


def snapshot_pages(
    database: Database, system: System, stream_name: str, size: int, token: str
) -> Iterator[tuple[list[Record], str | None]]:
    """Records and the token of the page after them, None on the last. An empty token: from the beginning.

    The caller holds the snapshot (Database.snapshot).
    """
    named, stream = f"{system.system}.{stream_name}", system.streams[stream_name]
    table = stream.request.table or ""
    relation = database.ask(
        "DESCRIBE", table, lambda connection: (described(connection, database.dialect, system, stream, named), 0)
    )
    query = Query(relation, stream, named)
    rows = PageRows(query, Rows(relation, stream), Head(named, stream), size, named, system.limits.answer_mib)
    place: Place | None = query.place(token) if token else Place(stamped=False)
    while place:
        records, last = database.ask("SELECT", table, rows.question(place, []))
        place = query.following(place, last if len(records) >= size else None)
        yield records, query.token(place) if place else None
