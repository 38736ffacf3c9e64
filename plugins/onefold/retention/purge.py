"""What one store keeps of one subject, and how a batch of what is due is deleted from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

import psycopg
from psycopg import sql

from onefold.warehouse.rows import one_row

Store = Literal[
    "history",
    "deleted",
    "quarantine",
    "waiting",
    "superseded",
    "lookups",
    "inbox",
    "golden",
    "landing",
    "lineage",
    "ledger",
    "written_out",
    "llm_answers",
    "airflow",
    "task_logs",
    "server_logs",
    "kept_by_law",
]

BATCH = 5_000
"""The most rows that one transaction deletes: no lock is held for long, and a kill loses little."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store keeps of a subject: how long, how many rows there are, since when, and how many are due now."""

    store: Store
    subject: str
    period: timedelta
    rows: int
    oldest: datetime | None
    due: int
    data_class: str = ""
    """Where values of one class are erased and the rows stay: that class."""


class Purge(Protocol):
    """One kind of rows of one subject: system.stream, an entity, or a table."""

    @property
    def store(self) -> Store: ...

    @property
    def subject(self) -> str: ...

    @property
    def period(self) -> timedelta: ...

    @property
    def data_class(self) -> str:
        """The class whose values are erased in rows that stay; empty where rows are deleted or emptied."""

    def count(self, connection: psycopg.Connection) -> Kept:
        """What there is and what is due; nothing changes."""

    def delete_batch(self, connection: psycopg.Connection) -> int:
        """Delete, or empty, at most BATCH rows of what is due, in the caller's transaction; how many."""


@dataclass(frozen=True, slots=True)
class RowPurge:
    """Rows of a table. all_rows: a query of one row, how many there are and the time of the oldest. due: a query of
    what is due, one row each. delete: deletes, or empties, at most BATCH of them."""

    store: Store
    subject: str
    period: timedelta
    all_rows: sql.Composed
    due: sql.Composed
    delete: sql.Composed
    data_class: str = ""

    def count(self, connection: psycopg.Connection) -> Kept:
        """As Purge."""
        rows, oldest = one_row(connection.execute(self.all_rows))
        due = one_row(connection.execute(sql.SQL("select count(*) from ({}) due").format(self.due)))[0] if rows else 0
        return Kept(self.store, self.subject, self.period, rows, oldest, due, self.data_class)

    def delete_batch(self, connection: psycopg.Connection) -> int:
        """As Purge."""
        return connection.execute(self.delete).rowcount


def make_purge(
    store: Store,
    subject: str,
    period: timedelta,
    all_rows: str,
    due: str,
    delete: str,
    names: Mapping[str, sql.Composable],
    data_class: str = "",
) -> RowPurge:
    """A purge from templates and their names; `delete` may say {due}, the query of what is due, and {batch}."""
    due_rows = sql.SQL(due).format(**names)
    return RowPurge(
        store,
        subject,
        period,
        sql.SQL(all_rows).format(**names),
        due_rows,
        sql.SQL(delete).format(due=due_rows, batch=sql.Literal(BATCH), **names),
        data_class,
    )
