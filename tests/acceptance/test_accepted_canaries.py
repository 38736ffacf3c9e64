"""No personal value reaches a log, an error, audit, lineage or a table where it does not belong: tried with canaries in
every personal field, in unknown names, keys and error answers, with each kind of fault."""

from __future__ import annotations

import logging

import pytest

from onefold.orchestration.tasks.errors import airflow_errors
from tests.acceptance.bench import Bench, everything
from tests.acceptance.canaries import ERROR_BODY, MARK, as_logged, in_files, in_processes, in_tables, planting
from tests.acceptance.conftest import Stock
from tests.acceptance.streams import ALL, Listed, once_per

PASSING: dict[str, object] = {"kind": "status", "code": 503, "body": ERROR_BODY, "times": 2}
REFUSED: dict[str, object] = {"kind": "status", "code": 400, "body": ERROR_BODY}
MORE: tuple[dict[str, object], ...] = (
    {"kind": "status", "code": 401, "body": ERROR_BODY},
    {"kind": "status", "code": 404, "body": ERROR_BODY},
    {"kind": "status", "code": 200, "body": ERROR_BODY},
    {"kind": "status", "code": 500, "body": f"<html>{MARK}</html>"},
)
FIRST = {"hr.employee", "epuap.document", "sap.business_partner", "erp.klient", "shop.customer", "accounting.bank_line"}
"""Of each protocol the stream that is in `make test`."""
BY_COST = sorted(ALL, key=lambda listed: listed.name not in FIRST)


def renamed(listed: Listed) -> list[dict[str, object]]:
    """A field that comes under a name which is somebody's e-mail address."""
    return [{"kind": "rename_field", "field": w, "to": f"{MARK}@example.com"} for _, w in listed.case.renamed[:1]]


def retyped(listed: Listed) -> list[dict[str, object]]:
    return [{"kind": "retype_field", "field": w, "to": to} for _, w, to, _ in listed.case.retyped[:1]]


@once_per(
    lambda listed: listed.system.protocol, "listed", [(listed,) for listed in BY_COST], lambda listed: listed.name
)
def test_a_canary_is_found_nowhere_but_where_records_are(
    empty: Bench, stock: Stock, listed: Listed, caplog: pytest.LogCaptureFixture, pytestconfig: pytest.Config
):
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "onefold")
    errors: list[str] = []

    def attempt() -> None:
        try:
            with airflow_errors():
                empty.load(listed, wrap=lambda pages: planting(listed, pages), requested=everything(listed))
        except Exception as error:  # noqa: BLE001 - a load of such records may be refused, and then says why
            errors.append(as_logged(error))

    attempt()
    faults = [PASSING, REFUSED] if "status" not in listed.case.cannot_have else []
    if pytestconfig.getoption("--matrix") == "full":
        faults += [*(MORE if faults else ()), *retyped(listed)]
    for fault in [*faults, *renamed(listed)]:
        empty.fix()
        empty.let_answers_age(listed)
        empty.fault(listed, **{"times": -1, **fault})
        attempt()
    planted = empty.query("select exists (select from ops.load where rows_read > 0)")
    assert planted == [(True,)]
    assert not faults or any("400" in error for error in errors)
    found = {
        "the log": [line for line in caplog.text.splitlines() if MARK in line.lower()],
        "errors": [line for text in errors for line in text.splitlines() if MARK in line.lower()],
        "tables": in_tables(empty),
        "files": in_files(empty.home, stock.postgres.log),
        "processes": in_processes(),
    }
    assert not any(found.values()), {place: each[:5] for place, each in found.items() if each}
