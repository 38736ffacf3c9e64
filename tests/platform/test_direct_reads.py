"""Whoever reads personal columns past `onefold sql` is in the audit chain, however the statement is put."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from onefold.catalog.reader import read_catalog
from onefold.commands.audit import audit
from onefold.conform.resolution_quality import pairwise_quality
from onefold.insight.reads import direct_reads_missing
from onefold.load.plain_view import ensure_plain_views
from onefold.load.staging import ensure_staging
from onefold.load.withheld_rates import WithheldRate, withheld_rates
from onefold.platform.postgres import Postgres
from onefold.platform.postgres_account import data_folder
from onefold.privacy.direct_reads import collect_direct_reads
from onefold.warehouse.tables import StagingTable
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.roles import as_role, trusted

VALUE = "kanarek@example.com"
EMAIL = "conformed.customer_version.email"
READ = "select email from conformed.customer where email <> 'kanarek@example.com'"
STATISTICS = (
    "from audit.pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())"
)


def collect(url: str) -> int:
    return collect_direct_reads(as_role(url, "onefold_loader"), read_catalog(), "os:test")


def owner(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, options="-c pg_stat_statements.track=none")


def events(url: str, action: str = "read.statements") -> list[tuple[str, dict, str]]:
    """The reader, the payload and the statement of each event."""
    with owner(url) as connection:
        return connection.execute(
            "select actor, payload, text from audit.event left join audit.statement"
            " on subject = 'statement:' || encode(name, 'hex') where action = %s order by seq",
            [action],
        ).fetchall()


def psql(url: str, role: str, statements: Sequence[str]) -> None:
    """As psql sends them: as they are, and the values in them."""
    with psycopg.connect(as_role(url, role), autocommit=True) as reader:
        for statement in statements:
            if statement.startswith("copy"):
                with reader.cursor().copy(statement.encode()) as rows:
                    list(rows)
            else:
                reader.execute(statement.encode())


@pytest.fixture(scope="module")
def watched(postgres: Postgres) -> Iterator[str]:
    """A warehouse that PostgreSQL watches; engineers may read tables too, in this database alone."""
    name = copy_database(postgres, TEMPLATE)
    url = postgres.url(name)
    with owner(url) as connection:
        connection.execute("grant select on all tables in schema conformed to onefold_engineer")
    collect(url)
    with trusted(postgres.url("postgres"), "analyst", "engineer"):
        yield url
        drop_database(postgres, name)


@pytest.fixture
def warehouse(watched: str) -> str:
    """The same, with a chain that is empty, as if nobody had read."""
    with owner(watched) as connection:
        connection.execute("alter table audit.event disable trigger event_append_only")
        connection.execute("truncate audit.event")
        connection.execute("alter table audit.event enable always trigger event_append_only")
        connection.execute("alter table audit.anchor disable trigger anchor_append_only")
        connection.execute("truncate audit.anchor")
        connection.execute("alter table audit.anchor enable always trigger anchor_append_only")
        connection.execute(f"select audit.pg_stat_statements_reset(0, dbid, queryid) {STATISTICS}".encode())
        connection.execute("truncate audit.statement_counter")
    return watched


WAYS = {
    "a star": ["select * from conformed.customer"],
    "an alias": ["select x.email as colour from conformed.customer as x where x.email <> 'kanarek@example.com'"],
    "a whole row": ["select to_jsonb(c) from conformed.customer as c"],
    "COPY of a query": [f"copy ({READ}) to stdout"],
    "a cursor": ["begin", f"declare c cursor for {READ}", "fetch all from c", "commit"],
    "a cursor that is rolled back": ["begin", "declare c cursor for table conformed.customer", "fetch c", "rollback"],
    "a prepared statement": [
        "prepare p (text) as select email from conformed.customer where email <> $1",
        "execute p('kanarek@example.com')",
    ],
    "EXPLAIN ANALYZE": [f"explain (analyze) {READ}"],
    "a search_path": ["set search_path = conformed", "select * from customer"],
    "a function that runs text": [
        f"select query_to_xml($${READ}$$, true, true, '')",
    ],
    "a comment": [f"/* {VALUE} */ select email -- {VALUE}\nfrom conformed.customer"],
    "a typed literal": ["select email from conformed.customer where date '2026-01-01' < now() limit 5"],
    "several at once": [f"select 1; declare c cursor with hold for {READ}; select 2"],
}


@pytest.mark.parametrize("way", WAYS)
def test_an_analyst_who_reads_directly_is_recorded_without_a_value(warehouse: str, way: str) -> None:
    psql(warehouse, "trusted_analyst", WAYS[way])
    assert collect(warehouse) > 0
    found = events(warehouse)
    assert {reader for reader, _, _ in found} == {"role:trusted_analyst"}
    reads = [payload for _, payload, _ in found if EMAIL in payload["personal_columns"] or not payload["columns_known"]]
    assert max(max(payload["plans"], payload["calls"]) for payload in reads) >= 1
    assert all(payload["columns_known"] for payload in reads) or way == "several at once"
    assert VALUE not in json.dumps(found)
    assert collect(warehouse) == 0


HIDDEN = (
    "select * from conformed.customer",
    "select to_jsonb(c) from conformed.customer as c",
    "table conformed.employee",
    "select email, count(*) from conformed.customer group by email having min(phone) <> 'a' order by max(street)",
    "select e.salary, c.phone from conformed.employee as e left join conformed.customer as c on c.email = e.email",
)


def test_who_is_shown_nothing_personal_has_read_nothing_personal(warehouse: str) -> None:
    """Of what the views hide; what they show of organisations is in the chain as before."""
    psql(warehouse, "onefold_analyst", HIDDEN)
    psql(warehouse, "trusted_analyst", HIDDEN)
    psql(warehouse, "onefold_engineer", ["select email from conformed.customer_version"])
    collect(warehouse)
    read: dict[str, set[str]] = {}
    for reader, payload, _ in events(warehouse):
        read.setdefault(reader, set()).update(column.rpartition(".")[2] for column in payload["personal_columns"])
    of_companies = {"legal_name", "tax_id_pl", "regon", "krs", "eu_vat", "postal_code", "city"}
    assert read["role:onefold_analyst"] == of_companies
    assert {*of_companies, "email", "phone", "street", "person_name", "salary", "pesel"} <= read["role:trusted_analyst"]
    assert read["role:onefold_engineer"] == {"email"}, "a table hides nothing"


def test_who_was_shown_it_until_a_moment_ago_has_read_it(warehouse: str) -> None:
    with trusted(warehouse, "auditor"):
        collect(warehouse)
        psql(warehouse, "trusted_auditor", [READ])
        with owner(warehouse) as connection:
            connection.execute("revoke onefold_pii from trusted_auditor")
        collect(warehouse)
        psql(warehouse, "trusted_auditor", ["select email, phone from conformed.customer"])
        collect(warehouse)
    assert [payload["personal_columns"] for _, payload, _ in events(warehouse)] == [[EMAIL]]


def test_a_query_that_fails_after_it_has_shown_rows_is_recorded_too(warehouse: str) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        psql(
            warehouse,
            "trusted_analyst",
            ["select email from conformed.customer union all select (1 / (random() * 0)::int)::text"],
        )
    collect(warehouse)
    [(_, payload, _)] = events(warehouse)
    assert (payload["plans"], payload["calls"], payload["personal_columns"]) == (1, 0, [EMAIL])


def test_copying_a_table_and_reading_its_sample_is_recorded_of_engineers(warehouse: str) -> None:
    psql(
        warehouse,
        "onefold_engineer",
        [
            "copy conformed.customer_version (email) to stdout",
            "select most_common_vals from pg_stats where attname = 'email'",
        ],
    )
    collect(warehouse)
    found = [(reader, payload["personal_columns"]) for reader, payload, _ in events(warehouse)]
    assert ("role:onefold_engineer", [EMAIL]) in found
    assert any("pg_catalog.pg_statistic.stavalues1" in columns for _, columns in found)


def test_calls_and_rows_are_those_since_the_last_time_and_what_is_not_personal_is_left_out(warehouse: str) -> None:
    counted = "select count(*) from ops.load"
    one = "select (select email from conformed.customer limit 1) from (values (1), (2)) as two"
    psql(warehouse, "trusted_engineer", [one, one, counted])
    collect(warehouse)
    psql(warehouse, "trusted_engineer", [one, counted])
    collect(warehouse)
    found = [payload for _, payload, text in events(warehouse) if "two" in text]
    assert [(each["plans"], each["calls"], each["rows"]) for each in found] == [(2, 2, 4), (1, 1, 2)]
    assert len(events(warehouse)) == 2


def test_what_a_report_counts_is_nobodys_read_of_personal_data(warehouse: str) -> None:
    hr = StagingTable("hr", "employee")
    with psycopg.connect(as_role(warehouse, "onefold_loader"), autocommit=True) as engine:
        ensure_staging(engine, hr)
        ensure_plain_views(engine, [(hr, read_catalog().systems["hr"].streams["employee"])])
        engine.execute(
            "with load as (insert into ops.load (system, stream, window_start, window_end, dag_id, run_id, actor)"
            " values ('hr', 'employee', now() - interval '1 day', now(), 'd', 'r', 'a') returning load_id)"
            " insert into ops.quarantine (load_id, system, stream, _key, _hash, _extracted_at, suite, expectation,"
            " reason, attribute) select load_id, 'hr', 'employee', 'k', '', now(), 's', 'e', 'r', 'employee.phone'"
            " from load"
        )
    with psycopg.connect(as_role(warehouse, "onefold_engineer"), autocommit=True) as engineer:
        assert withheld_rates(engineer) == [WithheldRate("hr", "employee", "employee.phone", 1, 0)]
        assert pairwise_quality(engineer, [("hr", "employee", "k", "1")]).missing == 1
    collect(warehouse)
    assert events(warehouse) == []


def test_a_table_that_is_gone_is_recorded_as_not_known_with_its_name(warehouse: str) -> None:
    """A name that is no table's is in no event: those can never be erased."""
    made_up = "with staging as (select 1 as jan_nowak) select staging.jan_nowak, l.* from staging, landing.load_7 l"
    with owner(warehouse) as connection:
        connection.execute("create table landing.load_7 (_payload jsonb)")
        connection.execute("grant select on landing.load_7 to onefold_engineer")
        psql(warehouse, "trusted_engineer", ["select * from landing.load_7", made_up])
        connection.execute("drop table landing.load_7")
    collect(warehouse)
    found = [(payload["columns_known"], payload["personal_columns"]) for _, payload, _ in events(warehouse)]
    assert sorted(found) == [(False, ["landing.load_7.*"]), (False, ["landing.load_7.*", "staging.?.*"])]


@pytest.mark.parametrize("role", ["onefold_analyst", "onefold_engineer", "onefold_auditor", "onefold_loader"])
def test_nobody_can_switch_it_off_forget_it_or_see_what_others_asked(warehouse: str, role: str) -> None:
    with psycopg.connect(as_role(warehouse, role), autocommit=True) as reader:
        for attack in (
            "set pg_stat_statements.track = 'none'",
            "set pg_stat_statements.track_planning = off",
            "set compute_query_id = off",
            f"alter role {role} set pg_stat_statements.track = 'none'",
            "select audit.pg_stat_statements_reset()",
            "select * from audit.pg_stat_statements",
            "delete from audit.statement_counter",
            "update audit.statement_watch set collected_at = null",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(attack.encode())
    if role == "onefold_loader":
        return
    with psycopg.connect(as_role(warehouse, role), autocommit=True) as reader:
        for attack in ("select audit.record_direct_reads('[]')", "select * from audit.direct_reads(9)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(attack.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("do $$ begin perform email from conformed.customer; end $$")


def test_a_statement_can_hide_behind_one_of_the_same_shape(warehouse: str) -> None:
    """No guarantee, but what docs/reads.md says is not recorded: should PostgreSQL tell them apart, it may go there."""
    psql(
        warehouse,
        "trusted_analyst",
        ["select c.unit from pg_settings c", "select c.person_name from conformed.customer c"],
    )
    collect(warehouse)
    assert events(warehouse) == []


def test_the_engine_can_say_neither_who_has_read_nor_how_often(warehouse: str) -> None:
    psql(warehouse, "trusted_analyst", [READ])
    with psycopg.connect(as_role(warehouse, "onefold_loader"), autocommit=True) as engine:
        [(role, query_id, top_level)] = engine.execute("select role, query_id, top_level from audit.direct_reads(9)")
        reads = {"sha256": "0" * 64, "text": "select ?", "columns_known": True, "personal_columns": []}
        said = {"role": role, "query_id": query_id, "top_level": top_level, "reads": reads, "calls": 99}
        record = "select audit.record_direct_reads(%s)"
        assert engine.execute(record, [json.dumps([said | {"role": 10}])]).fetchone() == (0,)
        assert engine.execute(record, [json.dumps([said])]).fetchone() == (1,)
    assert [(reader, payload["calls"]) for reader, payload, _ in events(warehouse)] == [("role:trusted_analyst", 1)]


def test_what_postgresql_forgets_is_a_gap_and_so_is_an_extension_that_is_gone(warehouse: str) -> None:
    psql(warehouse, "trusted_analyst", [READ])
    collect(warehouse)
    with owner(warehouse) as connection:
        connection.execute(f"select audit.pg_stat_statements_reset(0, dbid, queryid) {STATISTICS}".encode())
        collect(warehouse)
        connection.execute("update audit.statement_watch set evictions = evictions - 1")
        collect(warehouse)
        connection.execute("update audit.statement_watch set reset_at = reset_at - interval '1 s'")
        collect(warehouse)
        collect(warehouse)
        with connection.transaction(force_rollback=True):
            connection.execute("drop extension pg_stat_statements")
            assert connection.execute("select audit.begin_direct_reads('os:test')").fetchone() == (False,)
            assert connection.execute("select audit.begin_direct_reads('os:test')").fetchone() == (False,)
            assert "is not in schema audit" in str(direct_reads_missing(connection))
            of_extension = connection.execute(
                "select payload ->> 'reason' from audit.event where action = 'read.gap' order by seq desc limit 1"
            ).fetchone()
    reasons = [payload["reason"] for _, payload, _ in events(warehouse, "read.gap")]
    assert reasons == ["statements_removed", "statements_evicted", "statistics_reset"]
    assert of_extension == ("recorded_no_more",)


def test_the_file_in_which_a_cursor_left_a_value_can_be_emptied_and_the_chain_says_so(
    warehouse: str, postgres: Postgres
) -> None:
    def files_with_the_value() -> list[Path]:
        data = data_folder(postgres.home)
        return [path for path in data.glob("pg_stat*/*") if path.is_file() and VALUE.encode() in path.read_bytes()]

    psql(warehouse, "trusted_analyst", WAYS["a cursor"])
    assert files_with_the_value() != []
    with psycopg.connect(as_role(warehouse, "onefold_loader"), autocommit=True) as engine:
        engine.execute("select audit.forget_counted_statements('os:test')")
    assert files_with_the_value() == []
    collect(warehouse)
    assert [payload["reason"] for _, payload, _ in events(warehouse, "read.gap")] == ["forgotten_on_demand"]


def test_the_command_records_and_shows_who_read_what(
    warehouse: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    psql(warehouse, "trusted_analyst", [READ])
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(warehouse, "onefold_loader"))
    shown = CliRunner().invoke(audit, ["reads", "--json"])
    assert shown.exit_code == 0, shown.exception
    [read] = json.loads(shown.stdout)["reads"]
    assert (read["reader"], read["how"], read["times"], read["columns_known"]) == ("trusted_analyst", "direct", 1, True)
    assert EMAIL in read["personal_columns"]
    assert "select email from conformed.customer where email <> ?" in CliRunner().invoke(audit, ["reads"]).output
    with psycopg.connect(as_role(warehouse, "onefold_auditor")) as auditor:
        assert direct_reads_missing(auditor) is None
