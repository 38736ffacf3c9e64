"""Where a replay, a rollback and conform meet: entities and cursor are as if what is rolled back had never been."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onefold.conform.dbt_build import DbtProject
from onefold.conform.gate import entity_gate
from onefold.conform.run import conform
from onefold.load import steps
from onefold.load.ledger import Run
from onefold.load.staging import ensure_all_staging
from onefold.mapping.registry import mapping_fingerprints
from onefold.quality.suite import FOLDER
from onefold.replay.ledger import close_replay, open_replay
from onefold.replay.selection import Selection
from onefold.rollback.lifecycle import execute_rollback, plan_rollback, preview_rollback
from onefold.rollback.request import RollbackRequest
from onefold.settings import ROOT
from onefold.warehouse.connection import connect
from sandbox.process import Sandbox, running
from tests.acceptance.bench import Bench
from tests.acceptance.streams import CATALOG, Listed
from tests.approvals import record_decision
from tests.roles import as_role

ACCOUNT = Listed("salesforce.account")
CUSTOMER = CATALOG.entities["customer"]
MAPPINGS = mapping_fingerprints({"customer": CUSTOMER}, CATALOG.systems)
STARTER = "airflow:by:engineer/rollback/manual__1"
NO_PROSPECTS = (
    "  - {type: expect_column_values_to_be_in_set, kwargs: {column: status__c, value_set: [Active, Inactive]}}\n"
)
SEEN = (
    "select to_jsonb(c) - '_publish_id' from conformed.customer c order by customer_id",
    "select system, stream, key, customer_id from conformed.customer_crosswalk order by 1, 2, 3",
    "select _key, _payload, _cursor, _deleted, _load_id from staging.salesforce__account order by _key, _load_id",
    "select system, stream, value, window_end, load_id from ops.cursor order by 1, 2",
    "select quarantine_id, state, closed_by_load from ops.quarantine where state <> 'rolled_back' order by 1",
)


class Company:
    """Salesforce's accounts, from the sandbox to the customers."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench, self.folder = bench, folder
        self.loader = as_role(bench.url, "onefold_loader")
        ensure_all_staging(self.loader, CATALOG)

    def sync(self, suites: Path = FOLDER) -> int:
        """Load what is new by the suites of this folder; the load's id."""
        job = replace(self.bench.job(ACCOUNT), suites=suites)
        for step in (steps.land, steps.gate, steps.publish):
            load = step(job)
        return load.load_id

    def replay(self) -> int:
        """Replay all that waits; how many rows it published."""
        run = Run("replay", "manual__1", "os:tester")
        with connect(self.loader, autocommit=True) as connection:
            begun = open_replay(connection, Selection(system="salesforce"), "the suite was fixed", run, CATALOG.systems)
            job = replace(self.bench.job(ACCOUNT), run=run, source=None, source_url=None, replay_id=begun.replay_id)
            for step in (steps.land, steps.gate, steps.publish):
                step(job)
            return close_replay(connection, run).totals["published"]

    def roll_back(self, **asked: object) -> int:
        """Roll loads back, or undo that; the number of the rollback."""
        rollback_id = plan_rollback(
            self.loader, CATALOG, RollbackRequest(reason="a test", **asked), Run("rollback", "manual__1", STARTER)
        ).rollback_id
        record_decision(self.loader, rollback_id, "approver", approved=True)
        execute_rollback(self.loader, CATALOG, rollback_id, STARTER)
        return rollback_id

    def conform(self) -> None:
        """Publish the customers."""
        conform(
            self.loader,
            "user:tester",
            entity_gate(self.loader),
            [CUSTOMER],
            DbtProject(ROOT / "dbt_project", self.folder / "dbt"),
            mappings=MAPPINGS,
            select=["tag:customer"],
        )

    def seen(self) -> list[list[tuple]]:
        """What users see of the accounts and of the customers."""
        return [self.bench.query(query) for query in SEEN]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running(tmp_path / "sandbox", companies=120) as sandbox:
        yield sandbox


@pytest.fixture
def company(sandbox: Sandbox, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return Company(Bench(sandbox, warehouse_url, tmp_path / "home"), tmp_path)


@pytest.mark.full_matrix  # tests/operations proves the same steps without dbt, in a tenth of the time
def test_a_sync_after_a_replay_is_rolled_back_from_the_entities_and_the_cursor_and_can_be_undone(
    company: Company, sandbox: Sandbox, tmp_path: Path
) -> None:
    suite = (FOLDER / "salesforce__account.yaml").read_text(encoding="utf-8")
    (tmp_path / "salesforce__account.yaml").write_text(suite + NO_PROSPECTS, encoding="utf-8")
    company.sync(tmp_path)
    assert company.replay() > 0
    company.sync()
    company.conform()
    before = company.seen()
    sandbox.control("advance", changes=40, deletions=5, new=5)
    newest = company.sync()
    company.conform()
    after = company.seen()
    assert after[0] != before[0]
    shown = preview_rollback(company.loader, CATALOG, RollbackRequest(loads=(newest,), reason="a test"))
    [(touched,)] = company.bench.query(
        "select count(distinct customer_id) from conformed.customer_crosswalk join staging.salesforce__account"
        " on key = _key where stream = 'account' and _load_id = (select max(load_id) from ops.load)"
    )
    assert touched > 0 and shown.streams[0].golden_records == {"customer": touched}
    rollback_id = company.roll_back(loads=(newest,))
    company.conform()
    assert company.seen() == before
    company.roll_back(undo=rollback_id)
    company.conform()
    assert company.seen() == after
