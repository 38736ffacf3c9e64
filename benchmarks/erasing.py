"""Erasing: how long one person takes beside a million records."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.companies import FIELDS, SYSTEM, pages
from benchmarks.loading import job
from benchmarks.measure import PASSWORD, Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.audit import actor
from onefold.audit.approval import decide, require_question
from onefold.catalog.reader import Catalog, read_catalog
from onefold.catalog.system import System
from onefold.erasure.case_file import open_case
from onefold.erasure.lifecycle import execute_erasure, plan_erasure
from onefold.erasure.request import ErasureRequest
from onefold.load import steps
from onefold.load.ledger import Run
from onefold.privacy.values import PersonalValue, email, pesel

MOST_SECONDS = 60
PERSON = frozenset(
    {
        *(email("biuro17@example.pl"), pesel("44051401359")),
        *(PersonalValue("phone", "601222333"), PersonalValue("name", "zofia brzezinska")),
    }
)
"""Known by one value of each kind, as most are."""
_PERSONAL = {**FIELDS, **{name: {"type": "text", "personal": "contact"} for name in ("Email", "Phone")}}


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """One of `rows` companies' address is erased, from the search to the last segment of the log."""
    figures = medians(_round(warehouse, rows) for _ in range(min(rounds, 2)))
    detail = f"beside {rows:,} records: plan {figures['plan']:.1f} s, execute {figures['execute']:.1f} s"
    yield Row("erasure of a person / 60 s", sum(figures.values()) / MOST_SECONDS, 1.0, detail, True)


def _round(warehouse: Warehouse, rows: int) -> dict[str, float]:
    catalog = _catalog()
    with warehouse.fresh() as url:
        steps.run(job(url, list(pages(rows)), "first"))
        case = open_case(PERSON)
        run = Run("erase", "measured", actor("engineer", "erase", "measured"))
        request = ErasureRequest(case.name, "measured")
        figures = {"plan": seconds(lambda: plan_erasure(url, catalog, request, run))}
        _approve(url, run)
        figures["execute"] = seconds(lambda: execute_erasure(url, catalog, run))
    return figures


def _catalog() -> Catalog:
    """The stream with its personal fields, and all the project's entities, whose tables are searched too."""
    given = SYSTEM.model_dump(exclude_unset=True)
    given["streams"]["company"]["fields"] = _PERSONAL
    project = read_catalog()
    return Catalog({**project.systems, "bench": System.model_validate(given)}, project.entities)


def _approve(url: str, run: Run) -> None:
    who = make_conninfo(url, user="onefold_approvals", password=PASSWORD)
    with psycopg.connect(who, autocommit=True) as connection:
        asked = require_question(connection, run.dag_id, run.run_id)
        by, started_by = actor("approver"), asked.requested_by
        decide(connection, asked.approval_id, approved=True, by=by, started_by=started_by, shown=asked.plan)
