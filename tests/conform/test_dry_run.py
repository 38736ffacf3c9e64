"""A dry run: loads that are judged and not published, and what would become of the golden records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.conform import dry_run_schemas
from onefold.conform.candidate import Candidate, Failure, Gate
from onefold.conform.dbt_build import DbtProject
from onefold.conform.dry_run import DryRunReport, dry_run_conform
from onefold.conform.gate import entity_gate
from onefold.conform.report import ConformReport
from onefold.conform.run import conform
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal
from onefold.load import steps
from onefold.load.ledger import Load
from onefold.load.staging import ensure_all_staging
from onefold.load.usage import Usage
from onefold.load.window import WindowRequest
from onefold.mapping.registry import mapping_fingerprints
from onefold.platform.postgres import Postgres
from onefold.settings import ROOT
from sandbox.process import Sandbox, running
from tests.acceptance.bench import Bench
from tests.acceptance.streams import CATALOG, Listed
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database, end_sessions
from tests.roles import as_role

ACCOUNT, PARTNER = Listed("salesforce.account"), Listed("sap.business_partner")
CUSTOMER = CATALOG.entities["customer"]
DBT = ROOT / "dbt_project"


class Company:
    """A warehouse that holds all of SAP's partners and the older half of Salesforce's accounts, conformed."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.loader = as_role(bench.url, "onefold_loader")
        self._folder = folder
        self.newer = WindowRequest(self._middle(), datetime.now(UTC), exactly=True)

    def begin(self) -> None:
        """Load and conform what there is before a test begins."""
        ensure_all_staging(self.loader, CATALOG)
        self.bench.load(ACCOUNT, requested=WindowRequest(end=self.newer.start))
        self.bench.load(PARTNER)
        self.conform()

    def _middle(self) -> datetime:
        """When half of the accounts had been changed last."""
        with self.bench.job(ACCOUNT).source("account", Usage()) as pages:
            cursors = [
                record.cursor for page in pages(Window(BEGINNING, datetime.now(UTC)), None) for record in page.records
            ]
        return datetime.fromisoformat(sorted(cursors)[len(cursors) // 2])

    def dry_run_load(self) -> Load:
        """The newer half of the accounts, landed, judged, and no more."""
        job = self.bench.job(ACCOUNT, requested=self.newer)
        steps.land(job)
        steps.gate(job)
        return steps.dry_run(job)

    def dry_run(self, *loads: Load, gate: Gate | None = None) -> DryRunReport:
        return dry_run_conform(
            self.loader,
            "user:tester",
            gate or entity_gate(self.loader),
            [CUSTOMER],
            DbtProject(DBT, self._folder / "dbt-dry-run"),
            loads,
            mappings=self._mappings,
        )

    def conform(self, gate: Gate | None = None) -> ConformReport:
        return conform(
            self.loader,
            "user:tester",
            gate or entity_gate(self.loader),
            [CUSTOMER],
            DbtProject(DBT, self._folder / "dbt"),
            mappings=self._mappings,
            select=["tag:customer"],
        )

    @property
    def _mappings(self) -> dict[str, str]:
        return mapping_fingerprints({"customer": CUSTOMER}, CATALOG.systems)

    def published(self) -> list[list[tuple]]:
        """Everything that analysts and later runs can see of the customers and of the accounts."""
        tables = {
            "staging.salesforce__account": "_key, _load_id",
            "conformed.customer_version": "customer_id, _publish_id",
            "conformed.customer_crosswalk_version": "record, _publish_id",
            "mapped.salesforce__customer": "_record",
            "mapped.customer__identifier": "record",
            "ops.cursor": "system, stream",
            "ops.quarantine": "quarantine_id",
            "ops.published": "entity",
        }
        return [self.bench.query(f"select * from {table} order by {order}") for table, order in tables.items()]  # noqa: S608 - our own names


def few_fail(candidate: Candidate) -> Sequence[Failure]:
    """One in eight changed customers is wrong, and one in eight odd, by its tax number."""
    table = sql.Identifier(candidate.schema, candidate.table)
    query = sql.SQL("select {} from {} where _change is not null and mod(tax_id_pl::bigint, 8) = {}")
    return [
        Failure("e", reason, critical, query.format(sql.Identifier(candidate.key), table, sql.Literal(rest)))
        for rest, reason, critical in ((0, "it is wrong", True), (1, "it is odd", False))
    ]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Nothing happens in it: all tests see one world."""
    with running(tmp_path_factory.mktemp("sandbox"), companies=120) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def begun(postgres: Postgres, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database from which each test begins."""
    name, folder = copy_database(postgres, TEMPLATE), tmp_path_factory.mktemp("begun")
    Company(Bench(sandbox, postgres.url(name), folder), folder).begin()
    yield name
    drop_database(postgres, name)


@pytest.fixture
def company(
    postgres: Postgres, sandbox: Sandbox, begun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    end_sessions(postgres, begun)
    name = copy_database(postgres, begun)
    yield Company(Bench(sandbox, postgres.url(name), tmp_path / "home"), tmp_path)
    drop_database(postgres, name)


def test_a_dry_run_publishes_nothing_and_foretells_what_the_publish_then_does(company: Company) -> None:
    before = company.published()
    load = company.dry_run_load()
    told = company.dry_run(load, gate=few_fail)
    assert company.published() == before

    (customers,) = told.entities
    assert (load.state, customers.refused) == ("dry_run", None)
    assert customers.new > 0 and customers.changed > 0 and customers.held_back > 0 and customers.warnings > 0

    company.bench.load(ACCOUNT, requested=company.newer)
    (done,) = company.conform(few_fail).entities
    assert (customers.new, customers.changed) == (done.new, done.changed)
    assert customers.merged + customers.ended == done.ended
    assert customers.held_back == done.held_back
    warned = company.bench.query("select count(*) from ops.golden_record_warning where reason = 'it is odd'")
    assert warned == [(customers.warnings,)]


def test_only_engineers_who_hold_onefold_pii_see_the_schemas_of_a_dry_run(company: Company) -> None:
    company.dry_run(company.dry_run_load())
    question = f"select count(*) from {dry_run_schemas.MAPPED}.customer__candidate"  # noqa: S608 - our own name
    for role in ("onefold_engineer", "onefold_analyst"):
        with (
            psycopg.connect(as_role(company.bench.url, role)) as reader,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            reader.execute(question)
    (allowed,) = company.bench.query(
        f"select has_table_privilege('onefold_pii', '{dry_run_schemas.MAPPED}.customer__candidate', 'select')"
        f" and has_schema_privilege('onefold_engineer', '{dry_run_schemas.MAPPED}', 'usage')"
    )
    assert allowed == (True,)


def test_what_a_dry_run_has_read_is_taken_over_and_the_source_is_not_asked_again(company: Company) -> None:
    dry_run = company.dry_run_load()
    company.dry_run(dry_run)
    load = _published(company, dry_run)
    assert (load.state, load.rows_read, load.pages) == ("published", dry_run.rows_read, dry_run.pages)
    asked = company.bench.query("select load_id from ops.usage where load_id = %s", load.load_id)
    assert asked == []
    assert company.bench.query("select to_regclass(%s)", f"landing.load_{dry_run.load_id}") == [(None,)]


def test_a_dry_run_whose_landing_is_gone_is_read_again_from_the_source(company: Company) -> None:
    dry_run = company.dry_run_load()
    company.bench.execute("delete from landing.resume_token")  # as a crash of the database leaves it

    load = _published(company, dry_run)
    assert (load.state, load.rows_read) == ("published", dry_run.rows_read)
    assert company.bench.query("select requests > 0 from ops.usage where load_id = %s", load.load_id) == [(True,)]


def test_only_a_dry_run_load_can_be_shown_by_a_dry_run_of_conform(company: Company) -> None:
    load = company.bench.load(
        ACCOUNT, requested=WindowRequest(company.newer.start, company.newer.start + timedelta(days=1), True)
    )
    with pytest.raises(Fatal, match="is published and has no dry run to show"):
        company.dry_run(load)


def _published(company: Company, dry_run: Load) -> Load:
    """The load that publishes what the dry run has read."""
    job = company.bench.job(ACCOUNT, requested=company.newer, dry_run_load=dry_run.load_id)
    steps.land(job)
    steps.gate(job)
    return steps.publish(job)
