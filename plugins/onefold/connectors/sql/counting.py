"""Counts of a table's rows by window of its cursor: one GROUP BY, whatever the number of windows."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.connectors.counting import Counter
from onefold.connectors.sql.database import Database
from onefold.connectors.sql.relation import described
from onefold.connectors.window import BEGINNING, Window

AT_ONCE = 200


def sql_counter(system: System, stream_name: str, database: Database) -> Counter:
    """Counts by one query, of whole days: within the hour that comes twice in autumn, a clock without a zone does not
    tell to which side of an instant a row belongs. Rows whose cursor is NULL belong to no window and are not counted.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    field = stream.cursor.fields[0]

    def count(windows: Sequence[Window]) -> list[int]:
        def question(connection: sa.Connection) -> tuple[list[int], int]:
            relation = described(connection, system, stream, named)
            cursor = relation.column(stream.fields[field].path or field)
            numbered = [
                (_within(window, cursor, lambda at: relation.stamp(cursor.name, at)), number)
                for number, window in enumerate(windows)
            ]
            bucket = sa.case(*((within, sa.literal_column(str(number))) for within, number in numbered)).label("bucket")
            inside = sa.or_(*(within for within, _ in numbered))  # an index on the cursor then spares all the rest
            inner = sa.select(bucket).select_from(relation.table).where(inside).subquery()
            rows = connection.execute(sa.select(inner.c.bucket, sa.func.count()).group_by(inner.c.bucket)).all()
            counted = {int(number): rows_of for number, rows_of in rows}
            return [counted.get(number, 0) for number in range(len(windows))], len(rows)

        return database.ask("COUNT", stream.request.table, question)

    return Counter(AT_ONCE, count)


def _within(window: Window, cursor: sa.ColumnClause, stamp: object) -> sa.ColumnElement[bool]:
    below = cursor < stamp(window.end)
    return below if window.start <= BEGINNING else sa.and_(cursor >= stamp(window.start), below)
