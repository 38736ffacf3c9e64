"""Counts of a table's rows by window of its cursor: one GROUP BY, whatever the number of windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.connectors.sql.database import Database
from onefold.connectors.sql.relation import described
from onefold.connectors.window import BEGINNING, Window


def counted(system: System, stream_name: str, database: Database, windows: Sequence[Window]) -> list[int]:
    """The numbers of rows in windows, by one query, of whole days: within the hour that comes twice in autumn, a clock
    without a zone does not tell to which side of an instant a row belongs. Rows whose cursor is NULL belong to no
    window and are not counted.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    field = stream.cursor.fields[0] if stream.cursor else ""

    def ask(connection: sa.Connection) -> tuple[list[int], int]:
        relation = described(connection, database.dialect, system, stream, named)
        cursor = relation.column(stream.fields[field].path or field)
        stamp = partial(relation.stamp, cursor.name)
        numbered = [(_within(window, cursor, stamp), number) for number, window in enumerate(windows)]
        bucket = sa.case(*((within, sa.literal_column(str(number))) for within, number in numbered)).label("bucket")
        inside = sa.or_(*(within for within, _ in numbered))  # an index on the cursor then spares all the rest
        inner = sa.select(bucket).select_from(relation.table).where(inside).subquery()
        rows = connection.execute(sa.select(inner.c.bucket, sa.func.count()).group_by(inner.c.bucket)).all()
        numbers = {int(row[0]): row[1] for row in rows}
        return [numbers.get(number, 0) for number in range(len(windows))], len(rows)

    return database.ask("COUNT", stream.request.table or "", ask)


def _within(
    window: Window, cursor: sa.ColumnClause[Any], stamp: Callable[[datetime], datetime]
) -> sa.ColumnElement[bool]:
    below = cursor < stamp(window.end)
    return below if window.start <= BEGINNING else sa.and_(cursor >= stamp(window.start), below)
