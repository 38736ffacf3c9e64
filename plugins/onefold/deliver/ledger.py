"""ops.delivery: one row for each attempt to deliver, with what it wrote and what it was compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
from psycopg.types.json import Jsonb

from onefold.errors import storable_message
from onefold.load.ledger import Run
from onefold.warehouse.rows import one_row

Mode = Literal["changes", "full", "verify", "conformance"]
State = Literal["running", "delivered", "unchanged", "verified", "failed"]


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table: rows written now, rows in all, and their checksum, the same at the target and in PostgreSQL."""

    written: int
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one attempt did. `publish_id`: the newest publish that readers of the target see."""

    delivery_id: int
    target: str
    place: str
    mode: Mode
    state: State
    publish_id: int
    read_at: datetime
    tables: Mapping[str, TableReport]
    seconds: float = 0

    @property
    def written(self) -> int:
        return sum(each.written for each in self.tables.values())

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.tables.values())

    @property
    def checksum(self) -> str:
        """One text that is the same where all tables are."""
        total = sum(int(each.checksum, 16) for each in self.tables.values()) % (1 << 128)
        return f"{total:x}"

    def as_json(self) -> dict[str, object]:
        """For scripts, and for Airflow's XCom: the figures, without those of each table."""
        return {
            "delivery_id": self.delivery_id,
            "target": self.target,
            "mode": self.mode,
            "state": self.state,
            "publish_id": self.publish_id,
            "rows_written": self.written,
            "rows": self.rows,
            "checksum": self.checksum,
            "seconds": self.seconds,
        }


def begin(connection: psycopg.Connection, target: str, kind: str, place: str, mode: Mode, run: Run) -> int:
    """Record an attempt; returns its number, which is also that of the delivery at the target."""
    (delivery_id,) = one_row(
        connection.execute(
            "insert into ops.delivery (target, kind, place, mode, dag_id, run_id, actor)"
            " values (%s, %s, %s, %s, %s, %s, %s) returning delivery_id",
            (target, kind, place, mode, run.dag_id, run.run_id, run.actor),
        )
    )
    return int(delivery_id)


def plan_report(connection: psycopg.Connection, report: DeliveryReport) -> None:
    """Write down what is about to be shown, before the pointer moves: an attempt that dies after it is then known."""
    connection.execute(
        "update ops.delivery set publish_id = %s, rows_written = %s, rows_held = %s, checksum = %s, tables = %s,"
        " read_at = %s where delivery_id = %s",
        (
            *(report.publish_id or None, report.written, report.rows, report.checksum),
            Jsonb({name: [each.written, each.rows, each.checksum] for name, each in report.tables.items()}),
            *(report.read_at, report.delivery_id),
        ),
    )


def end(connection: psycopg.Connection, delivery_id: int, state: State, error: Exception | None = None) -> None:
    """The attempt is over."""
    connection.execute(
        "update ops.delivery set state = %s, error = %s, ended_at = clock_timestamp(),"
        " seconds = extract(epoch from clock_timestamp() - started_at) where delivery_id = %s",
        (state, storable_message(error) if error else None, delivery_id),
    )


def unfinished(connection: psycopg.Connection, target: str) -> list[int]:
    """Attempts that have died, to be called with the target's lock held."""
    rows = connection.execute(
        "select delivery_id from ops.delivery where target = %s and state = 'running' order by delivery_id", (target,)
    )
    return [delivery_id for (delivery_id,) in rows]


def read_report(connection: psycopg.Connection, delivery_id: int) -> DeliveryReport:
    """What plan_report() has written of an attempt."""
    target, place, mode, state, publish_id, read_at, tables, seconds = one_row(
        connection.execute(
            "select target, place, mode, state, coalesce(publish_id, 0), coalesce(read_at, started_at), tables,"
            " coalesce(seconds, 0)"
            " from ops.delivery where delivery_id = %s",
            (delivery_id,),
        )
    )
    found = {name: TableReport(*values) for name, values in tables.items()}
    return DeliveryReport(delivery_id, target, place, mode, state, publish_id, read_at, found, float(seconds))
