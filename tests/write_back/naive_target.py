"""The hardest kind of target: it takes every record it is sent, twice where it is sent twice, and commits late."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Place, Result, Value

LATE = """
create function come_late() returns trigger language plpgsql as $$
begin
    if random() < 0.2 then perform pg_sleep(random() * 0.3); end if;
    return null;
end $$;
create constraint trigger come_late after insert on klienci deferrable initially deferred
    for each row execute function come_late();
drop index klienci_onefold_ref_idx;
"""
"""A fifth of the commits take up to 0.3 s longer, and nothing keeps one reference from coming twice."""


class NaiveTarget(Outbound):
    """Sends each record in a transaction of its own, over a connection of its own; who is cut off knows nothing.

    The target ends a transaction after its longest run (transaction_timeout).
    """

    batch = 5

    def __init__(self, place: Place, url: str) -> None:
        super().__init__(place)
        self._url = url

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return [self._send(change) for change in changes]

    def _send(self, change: Change) -> Outcome:
        longest = f"-c transaction_timeout={round(self.place.longest_run.total_seconds() * 1000)}"
        try:
            connection = psycopg.connect(self._url, options=longest)
        except psycopg.OperationalError as error:
            return Outcome(change.id, Result.NOT_SENT, reason=type(error).__name__)
        try:
            fields = {**change.fields, self.place.reference: change.reference}
            insert = sql.SQL("insert into {} ({}) values ({}) returning {}::text, xmin::text").format(
                sql.Identifier(self.place.object),
                sql.SQL(", ").join(map(sql.Identifier, fields)),
                sql.SQL(", ").join(sql.Placeholder() * len(fields)),
                sql.Identifier(self.place.key),
            )
            assert change.kind == "create"
            key, version = connection.execute(insert, list(fields.values())).fetchone()
            connection.commit()
            return Outcome(change.id, Result.DONE, key, version)
        except psycopg.OperationalError as error:
            return Outcome(change.id, Result.AMBIGUOUS, reason=type(error).__name__)
        finally:
            connection.close()

    def find(self, references: Sequence[str]) -> Sequence[Current]:
        return self._where(self.place.reference, references)

    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        return self._where(self.place.key, keys)

    def match(self, field: str, value: Value) -> Sequence[Current]:
        return self._where(field, [value])

    def _where(self, field: str, values: Sequence[Value]) -> list[Current]:
        query = sql.SQL("select *, xmin::text as version from {} where {}::text = any (%s)").format(
            sql.Identifier(self.place.object), sql.Identifier(field)
        )
        with psycopg.connect(self._url, autocommit=True, row_factory=dict_row) as connection:
            rows = connection.execute(query, ([str(value) for value in values],)).fetchall()
        names = self.place.fields.keys() - {self.place.key}
        return [
            Current(
                str(row[self.place.key]), row[self.place.reference], {name: row[name] for name in names}, row["version"]
            )
            for row in rows
        ]

    def close(self) -> None:
        """Nothing stays open."""
