"""What an erasure has left because a law demands it: erased once its last day has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import psycopg

from onefold.catalog.reader import Catalog
from onefold.privacy import law_periods
from onefold.privacy.kept import erase_kept
from onefold.retention.purge import BATCH, Kept, Store
from onefold.warehouse.rows import one_row

_COUNT = """
select count(*), min(since), count(*) filter (where until < %(today)s) from ops.kept_by_law
where system = %(system)s and stream = %(stream)s
"""
_DELETE = """
delete from ops.kept_by_law where (system, stream, _key) in (
    select system, stream, _key from ops.kept_by_law
    where system = %(system)s and stream = %(stream)s and until < %(today)s limit %(batch)s for update
) returning system, stream, _key
"""


@dataclass(frozen=True, slots=True)
class KeptByLawPurge:
    """The records of one stream in which a law keeps something of people who were erased."""

    catalog: Catalog
    system: str
    stream: str
    period: timedelta
    data_class: str = ""

    @property
    def store(self) -> Store:
        return "kept_by_law"

    @property
    def subject(self) -> str:
        return f"{self.system}.{self.stream}"

    @property
    def _of_today(self) -> dict[str, object]:
        return {"system": self.system, "stream": self.stream, "today": law_periods.today(), "batch": BATCH}

    def count(self, connection: psycopg.Connection) -> Kept:
        """As Purge."""
        rows, oldest, due = one_row(connection.execute(_COUNT, self._of_today))
        return Kept(self.store, self.subject, self.period, rows, oldest, due)

    def delete_batch(self, connection: psycopg.Connection) -> int:
        """As Purge: the person goes from the records; these stay."""
        rows = connection.execute(_DELETE, self._of_today).fetchall()
        records = [(system, stream, key) for system, stream, key in rows]
        if records:
            erase_kept(connection, self.catalog, records)
        return len(records)
