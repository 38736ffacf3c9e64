"""Rolling back: what a rollback of few changes costs beside few and beside many records, and beside its own load."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.companies import SYSTEM, pages
from benchmarks.loading import job
from benchmarks.measure import PASSWORD, Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.audit import actor
from onefold.audit.approval import decide, require_question
from onefold.catalog.reader import Catalog
from onefold.load import steps
from onefold.load.ledger import Run
from onefold.rollback import lifecycle
from onefold.rollback.request import RollbackRequest

CATALOG = Catalog({"bench": SYSTEM}, {})
STARTER, APPROVER = "engineer", "approver"


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """A load that changes a hundredth of `rows` is rolled back beside `rows` records, and beside a tenth of them."""
    changed = rows // 100
    figures = {held: medians(_round(warehouse, held, changed) for _ in range(rounds)) for held in (rows, rows // 10)}
    many, few = figures[rows], figures[rows // 10]
    for what in ("rollback", "undo"):
        detail = f"{changed:,} changes: {few[what]:.2f} s beside {rows // 10:,}, {many[what]:.2f} s beside {rows:,}"
        yield Row(f"{what} of few changes, beside ten times the records", many[what] / few[what], 1.5, detail, True)
    detail = f"{rows // 10:,} records: load {few['first load']:.1f} s, rollback {few['rollback of it']:.1f} s"
    yield Row("rollback of a first load / the load", few["rollback of it"] / few["first load"], 1.0, detail, True)


def _round(warehouse: Warehouse, held: int, changed: int) -> dict[str, float]:
    first, second = list(pages(held)), list(pages(changed, changed_every=1))
    with warehouse.fresh() as url:
        figures = {"first load": seconds(lambda: _load(url, first, "first"))}
        second_load = _load(url, second, "second")
        figures["rollback"] = seconds(lambda: _roll_back(url, RollbackRequest((second_load,), reason="measured")))
        figures["undo"] = seconds(lambda: _roll_back(url, RollbackRequest(undo=1, reason="measured")))
        figures["rollback of it"] = seconds(
            lambda: _roll_back(url, RollbackRequest((second_load - 1, second_load), reason="measured"))
        )
    return figures


def _load(url: str, bodies: list[bytes], run: str) -> int:
    load = job(url, bodies, run)
    steps.land(load)
    steps.gate(load)
    return steps.publish(load).load_id


def _roll_back(url: str, request: RollbackRequest) -> None:
    """Plan, approval by another person, execution."""
    run = Run("rollback", "measured", actor(STARTER, "rollback", "measured"))
    planned = lifecycle.plan_rollback(url, CATALOG, request, run)
    who = make_conninfo(url, user="onefold_approvals", password=PASSWORD)
    with psycopg.connect(who, autocommit=True) as connection:
        asked = require_question(connection, run.dag_id, run.run_id)
        by, started_by = actor(APPROVER), asked.requested_by
        decide(connection, asked.approval_id, approved=True, by=by, started_by=started_by, shown=asked.plan)
    lifecycle.execute_rollback(url, CATALOG, planned.rollback_id, run.actor)
