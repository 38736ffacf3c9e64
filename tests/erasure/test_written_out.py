"""An erasure reaches what is written into other systems: the outbox, plans, and whoever must delete it there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from onefold.catalog.data_protection import read_data_protection
from onefold.catalog.system import System
from onefold.catalog.target import Target
from onefold.conform.run import conform_with_build
from onefold.erasure import execute, lifecycle
from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.load.staging import ensure_staging
from onefold.platform.postgres import Postgres
from onefold.privacy.values import email
from onefold.subject_report import make
from onefold.subject_report.make import make_subject_report
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable
from onefold.write_back import plan_ledger
from onefold.write_back.intents import record_intents
from onefold.write_back.outbox import write_lock
from onefold.write_back.place import opener
from onefold.write_back.run import WriteBack
from tests.conform.rendered import build
from tests.databases import copy_database, drop_database
from tests.erasure.office import EMAIL, NAME, OTHER, TRACES, Office, adam, traces, zofia
from tests.write_back.world import a_run

TABLE = "create table people (id int generated always as identity primary key, ref text unique, mail text, family text)"
DIRECTORY = System.model_validate(
    {
        "system": "directory",
        "title": "The staff directory",
        "protocol": "sql",
        "connection": "directory",
        "schedule": "0 2 * * *",
        "streams": {
            "person": {
                "title": "People",
                "request": {"table": "people"},
                "primary_key": ["id"],
                "fields": {"id": "integer", "mail": "text", "family": "text"},
            }
        },
    }
)


class Directory:
    """Another system, into which employees are written."""

    def __init__(self, office: Office, url: str) -> None:
        self.office, self.url = office, url
        self.target = Target.model_validate(
            {
                "target": "directory",
                "title": "The staff directory",
                "system": "directory",
                "protocol": "sql",
                "limits": {"rate": ["100000/s"], "timeout": "PT5S", "longest_run": "PT0S"},
                "approval": "never",
                "first_publish": "write",
                "objects": {
                    "person": {
                        "entity": "employee",
                        "object": "people",
                        "key": "id",
                        "reference": "ref",
                        "match": {"email": "mail"},
                        "fields": {"mail": {"attribute": "email"}, "family": {"attribute": "last_name"}},
                    }
                },
            }
        )
        with psycopg.connect(url) as owner:
            owner.execute(TABLE)

    def may(self, *what: str) -> None:
        said = self.target.model_dump(mode="json", exclude_defaults=True)
        said["objects"]["person"]["may"] = list(what)
        self.target = Target.model_validate(said)

    def targets(self, _: object) -> Mapping[str, Target]:
        return {"directory": self.target}

    def write_back(self) -> WriteBack:
        parts = conninfo_to_dict(self.url)
        where = f"postgres://127.0.0.1:{parts['port']}/{parts['dbname']}"
        endpoint = Endpoint(where, str(parts["user"]), str(parts["password"]))
        open_object = opener(self.target, DIRECTORY, endpoint, lambda attempt: None)
        entities = self.office.catalog.entities
        return WriteBack(self.office.url, endpoint.url, self.target, DIRECTORY, entities, open_object)

    def conform(self, mapping: str = "one") -> None:
        """Publish the employees, all of them anew where the mapping is another one."""
        employees = [self.office.catalog.entities["employee"]]
        conform_with_build(
            self.office.url,
            "os:tester",
            lambda candidate: (),
            employees,
            lambda publish: build(self.office.url, employees, publish),
            mappings={"employee": mapping},
            on_publish=(record_intents({"directory": self.target}),),
        )

    def run(self) -> bool:
        """Plan and execute; False where nothing was intended."""
        run = a_run()
        plans = self.write_back().plan(run)
        self.write_back().execute_ready(run)
        return bool(plans)

    def people(self) -> Sequence[tuple[str, str]]:
        with psycopg.connect(self.url) as owner:
            return owner.execute("select mail, family from people order by mail").fetchall()

    def states(self) -> list[tuple[str, int]]:
        return self.office.query("select state, count(*) from ops.outbox group by 1 order by 1")

    def zofias(self) -> tuple:
        """State, key there, golden record, values and time of what was sent: of Zofia's intent."""
        (row,) = self.office.query(
            "select state, target_key, golden_id, sent, sent_at from ops.outbox where golden_id in"
            " (select employee_id from conformed.employee_version where hr_number = '7')"
        )
        return row

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.office.url, autocommit=True) as loader:
            loader.execute(statement, values)


@pytest.fixture
def directory(office: Office, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Directory]:
    """Zofia and Adam are published, and intended to be written into the directory."""
    with connect(office.url, autocommit=True) as loader:
        ensure_staging(loader, StagingTable("hr", "pay"))
    name = copy_database(postgres, "template0", "directory")
    made = Directory(office, postgres.url(name))
    for module in (lifecycle, make):
        monkeypatch.setattr(module, "read_targets", made.targets)
    office.load("hr.employee", zofia(), adam())
    made.conform()
    yield made
    drop_database(postgres, name)


def test_an_erased_person_leaves_the_outbox_and_plans_and_is_not_written_again(
    directory: Directory, warehouse_url: str
) -> None:
    office = directory.office
    assert directory.run()
    assert "ops.write_back_plan_row: Brzezińska" in traces(warehouse_url)
    plan = office.erase()
    assert plan.tables["ops.write_back_plan_row"].own_rows == 1
    assert traces(warehouse_url) == []
    rows = office.query("select after from ops.write_back_plan_row order by after::text")
    assert rows == [({"mail": OTHER, "family": "Nowy"},), ({"mail": None, "family": None},)]
    assert directory.states() == [("confirmed", 2)]
    office.load("hr.employee", zofia(department="Archive"), adam(department="Board"))
    directory.conform("another")
    assert directory.write_back().intend_all() == 0, "neither by its emptied values, nor does Adam's digest change"
    assert not directory.run()
    assert len(directory.people()) == 2


def test_an_open_intent_of_an_erased_person_ends_and_is_not_sent_and_others_go_on(
    directory: Directory, warehouse_url: str
) -> None:
    run = a_run()
    (plan,) = directory.write_back().plan(run)
    directory.office.erase()
    assert traces(warehouse_url) == []
    assert directory.states() == [("intended", 1), ("superseded", 1)]
    with pytest.raises(Fatal, match="superseded: nothing was written"):
        directory.write_back().execute(plan.plan_id, run)
    with connect(directory.office.url) as connection:
        assert plan_ledger.rows_of(connection, plan.plan_id) == []
    assert directory.run()
    assert directory.people() == [(OTHER, "Nowy")]


@pytest.mark.parametrize("there", [True, False], ids=["it has come", "it has not come"])
def test_an_erased_person_whose_answer_was_lost_is_found_there_or_given_up(directory: Directory, there: bool) -> None:
    if there:
        directory.run()
    directory.execute(
        "update ops.outbox set state = 'ambiguous', change = 'create', target_key = null, sent_at = now(),"
        " unknown_since = now() - interval '1 hour', sent = %s where golden_id = %s",
        Jsonb({"mail": EMAIL, "family": NAME[1]}),
        directory.zofias()[2],
    )
    plan = directory.office.erase()
    assert "the record with our reference" in plan.text
    assert directory.zofias()[3] is None
    directory.run()
    state, key, *_ = directory.zofias()
    assert (state, key is not None) == ("confirmed" if there else "superseded", there)
    assert [mail for mail, _ in directory.people()] == ([OTHER, EMAIL] if there else [OTHER])


def test_the_person_goes_by_value_from_a_plan_that_has_only_read_another_record(
    directory: Directory, warehouse_url: str
) -> None:
    directory.run()
    with psycopg.connect(directory.url) as owner:
        owner.execute("update people set family = 'Zofia Brzezińska' where mail = %s", (OTHER,))
    directory.office.load("hr.employee", zofia(), adam(lastName="Nowak"))
    directory.conform()
    (plan,) = directory.write_back().plan(a_run())
    with connect(directory.office.url) as connection:
        assert [row.before for row in plan_ledger.rows_of(connection, plan.plan_id)] == [{"family": "Zofia Brzezińska"}]
    directory.office.erase()
    assert traces(warehouse_url) == []
    directory.run()
    assert (OTHER, "Nowak") in directory.people(), "what the plan was about is planned anew"


def test_the_erasure_says_which_system_has_the_person_and_offers_the_deletion_where_it_may(
    directory: Directory, warehouse_url: str
) -> None:
    directory.run()
    _, _, plan = directory.office.plan()
    _, key, golden_id, *_ = directory.zofias()
    said = f"Written out to directory, object person: its record {key}; it has to be deleted there."
    assert plan.elsewhere == (said,)
    directory.may("create", "update", "delete")
    done = directory.office.erase()
    assert "waits for another person's approval: bin/onefold write-back directory --plan" in done.text
    assert directory.states() == [("confirmed", 2), ("intended", 1)]
    run = a_run()
    (plan,) = directory.write_back().plan(run)
    assert plan.needs_approval, "although the target says never"
    with pytest.raises(Fatal, match="approv"):
        directory.write_back().execute(plan.plan_id, run)
    with connect(directory.office.url) as connection:
        (row,) = plan_ledger.rows_of(connection, plan.plan_id)
    assert (row.change, row.golden_id, row.before) == ("delete", golden_id, {})
    assert traces(warehouse_url) == [], "planning the deletion reads nothing of the person into the warehouse"


def test_an_erasure_waits_for_a_write_back_that_runs(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute.streams_locked.__wrapped__, "__defaults__", (0.1,))
    with (
        connect(directory.office.url, autocommit=True) as other,
        write_lock(other, "directory"),
        pytest.raises(Retriable, match="write-back to directory has been running"),
    ):
        directory.office.erase()


def test_the_subject_report_lists_what_was_written_of_the_person_where_and_when(directory: Directory) -> None:
    directory.run()
    said = read_data_protection()
    with connect(directory.office.url, autocommit=True) as connection:
        report = make_subject_report(connection, directory.office.catalog, said, [email(EMAIL)], "os:tester")
    (written,) = report.written_out
    _, key, _, _, at = directory.zofias()
    assert (written.title, written.object, written.key) == ("The staff directory", "person", key)
    assert (written.change, written.at, written.fields) == ("create", at, ["family", "mail"])
    assert report.counts()["written_out"] == 1


def test_a_refusal_that_quotes_the_person_leaves_no_value_in_reasons_or_the_audit_trail(directory: Directory) -> None:
    with psycopg.connect(directory.url) as owner:
        owner.execute("alter table people add constraint short check (length(family) < 3)")  # PostgreSQL quotes the row
        owner.execute(
            "create function refuse() returns trigger language plpgsql as"
            " $$ begin raise exception 'not %: %', new.mail, new.family; end $$;"
            "create trigger refuse before insert on people for each row execute function refuse()"
        )
    directory.run()
    assert [state for state, _ in directory.states()] == ["refused"]
    told = str(
        directory.office.query(
            "select reason from ops.outbox union all select reason from ops.write_back_plan_row"
            " union all select e::text from audit.event e where action like 'write_back%'"
            " union all select l::text from lineage.event l"
        )
    )
    assert len(told) > 200
    assert not [trace for trace in (*TRACES, OTHER, "Nowy") if trace in told]
