"""What an erasure has left because a law demands it: erased once its last day has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from onefold.catalog.reader import Catalog
from onefold.privacy import law_periods
from onefold.privacy.kept import erase_kept
from onefold.retention.purge import BATCH, Kept, Store
from onefold.warehouse.rows import one_row

_DUE = "system = %s and stream = %s and until < %s"


@dataclass(frozen=True, slots=True)
class KeptByLawPurge:
    """The records of one stream in which a law keeps something of people who were erased."""

    catalog: Catalog
    system: str
    stream: str
    period: timedelta

    @property
    def store(self) -> Store:
        return "kept_by_law"

    @property
    def subject(self) -> str:
        return f"{self.system}.{self.stream}"

    @property
    def _of_today(self) -> tuple[str, str, date]:
        return self.system, self.stream, law_periods.today()

    def count(self, connection: psycopg.Connection) -> Kept:
        """As Purge."""
        query = (
            f"select count(*), min(since), count(*) filter (where {_DUE}) from ops.kept_by_law"  # noqa: S608
            " where system = %s and stream = %s"
        )
        rows, oldest, due = one_row(connection.execute(query, (*self._of_today, self.system, self.stream)))
        return Kept(self.store, self.subject, self.period, rows, oldest, due)

    def delete_batch(self, connection: psycopg.Connection) -> int:
        """As Purge: the person goes from the records; these stay."""
        delete = (
            f"delete from ops.kept_by_law where (system, stream, _key) in (select system, stream, _key from"  # noqa: S608
            f" ops.kept_by_law where {_DUE} limit {BATCH} for update) returning system, stream, _key"
        )
        rows = connection.execute(delete, self._of_today).fetchall()
        records = [(system, stream, key) for system, stream, key in rows]
        if records:
            erase_kept(connection, self.catalog, records)
        return len(records)
