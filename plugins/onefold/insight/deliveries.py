"""Deliveries to other warehouses: which publish readers see there and here, and what the last attempts did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.deliver.due import undelivered_erasures
from onefold.errors import Fatal


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver, or to verify. `rows_held` are the rows that the target has in all."""

    delivery_id: int
    target: str
    mode: str
    state: str
    publish_id: int | None
    rows_written: int | None
    rows_held: int | None
    checksum: str | None
    seconds: float | None
    started_at: datetime
    error: str | None

    def __str__(self) -> str:
        if self.state == "failed":
            return f"{self.target}: {self.mode} failed. {self.error}"
        return (
            f"{self.target}: {self.state}, publish {self.publish_id}, {self.rows_written or 0:,} rows written of "
            f"{self.rows_held or 0:,}, checksum {self.checksum}, {self.seconds or 0:.1f} s"
        )

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """One target. `shown`: the newest delivery that its readers see; `last`: the newest attempt; `here`: the publish
    that readers of PostgreSQL see; `owes_erasure`: it still has what was erased or deleted here."""

    target: str
    title: str
    kind: str
    here: int
    shown: Attempt | None
    last: Attempt | None
    owes_erasure: bool = False

    @property
    def is_behind(self) -> bool:
        """Whether its readers see another publish than those of PostgreSQL."""
        return (self.shown.publish_id if self.shown else None) != (self.here or None)

    @property
    def has_failed(self) -> bool:
        """Whether the newest attempt failed."""
        return self.last is not None and self.last.state == "failed"

    def __str__(self) -> str:
        there = f"publish {self.shown.publish_id}" if self.shown else "nothing yet"
        said = f"Delivered to {self.target}: {there} (here {self.here})."
        said += " It still has what was erased here." if self.owes_erasure else ""
        return f"{said} The last attempt failed: {self.last.error}" if self.has_failed and self.last else said


_COLUMNS = sql.SQL(
    "delivery_id, target, mode, state, publish_id, rows_written, rows_held, checksum, seconds::float, started_at, error"
)
_SHOWN = ("delivered", "unchanged")
_ENDED = (*_SHOWN, "verified", "failed")


def target_statuses(connection: psycopg.Connection, targets: Mapping[str, DeliveryTarget]) -> list[TargetStatus]:
    """Every target of the catalogue, by name."""
    if not targets:
        return []
    here = connection.execute("select coalesce(max(publish_id), 0) from ops.published").fetchone()
    last, owing = _newest(connection, _ENDED), undelivered_erasures(connection)
    shown = _newest(connection, _SHOWN)
    return [
        TargetStatus(
            name, each.title, each.kind, here[0] if here else 0, shown.get(name), last.get(name), name in owing
        )
        for name, each in sorted(targets.items())
    ]


def delivery_of_run(connection: psycopg.Connection, dag_id: str, run_id: str) -> Attempt:
    """The newest attempt of a run, and not the verification that followed it. Raises Fatal when it made none."""
    with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        found = cursor.execute(
            sql.SQL(
                "select {} from ops.delivery where dag_id = %s and run_id = %s"
                " order by mode = 'verify', delivery_id desc limit 1"
            ).format(_COLUMNS),
            (dag_id, run_id),
        ).fetchone()
    if found is None:
        raise Fatal(f"Run {run_id} of {dag_id} has delivered nothing. Look at its log in Airflow.")
    return found


def _newest(connection: psycopg.Connection, states: Iterable[str]) -> dict[str, Attempt]:
    with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        found: Iterable[Attempt] = cursor.execute(
            sql.SQL(
                "select distinct on (target) {} from ops.delivery where state = any (%s)"
                " order by target, delivery_id desc"
            ).format(_COLUMNS),
            (list(states),),
        ).fetchall()
    return {each.target: each for each in found}
