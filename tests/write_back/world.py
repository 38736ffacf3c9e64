"""A warehouse with golden records, an ERP's database that they are written into, and the sync that brings it back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from onefold.catalog.system import System
from onefold.catalog.target import Target
from onefold.conform.report import ConformReport
from onefold.http.endpoint import Endpoint
from onefold.load.ledger import Run
from onefold.write_back.execute import Executed
from onefold.write_back.intents import record_intents
from onefold.write_back.place import opener
from onefold.write_back.plan_ledger import Plan, Row, rows_of
from onefold.write_back.run import WriteBack
from tests.conform.world import PARTNER, Record, World, record

TABLE = """
create table klienci (
    id_klienta bigint generated always as identity primary key,
    onefold_ref text,
    nazwa text,
    nip text,
    email text,
    waluta text,
    zmieniono timestamptz not null default clock_timestamp()
);
create unique index on klienci (onefold_ref);
create function zmieniono() returns trigger language plpgsql as
    $$ begin new.zmieniono := clock_timestamp(); return new; end $$;
create trigger zmieniono before update on klienci for each row execute function zmieniono();
"""
TARGET: dict[str, Any] = {
    "target": "erp",
    "title": "The ERP",
    "system": "erp",
    "protocol": "sql",
    "limits": {"rate": ["100000/s"], "timeout": "PT5S", "longest_run": "PT0S"},
    "approval": "never",
    "first_publish": "write",
    "objects": {
        "partner": {
            "entity": "partner",
            "object": "klienci",
            "stream": "partner",
            "key": "id_klienta",
            "reference": "onefold_ref",
            "match": {"tax_id_pl": "nip"},
            "fields": {
                "nazwa": {"attribute": "legal_name", "required": True},
                "nip": {"attribute": "tax_id_pl"},
                "email": {"attribute": "email"},
            },
            "constants": {"waluta": "PLN"},
        }
    },
}


def target(**changes: Any) -> Target:
    """The target, with another value at each dotted place: target(**{"objects.partner.may": ["create"]})."""
    said = Target.model_validate(TARGET).model_dump(mode="json", exclude_defaults=True)
    for place, value in changes.items():
        *path, last = place.split(".")
        here = said
        for step in path:
            here = here.setdefault(step, {})
        here[last] = value
    return Target.model_validate(said)


def system(name: str) -> System:
    """The system whose database the target is."""
    return System.model_validate(
        {
            "system": name,
            "title": "The ERP",
            "protocol": "sql",
            "connection": name,
            "schedule": "0 2 * * *",
            "streams": {
                "partner": {
                    "title": "Partners",
                    "request": {"table": "klienci"},
                    "primary_key": ["id_klienta"],
                    "fields": {"id_klienta": "integer", "nazwa": "text", "nip": "text", "email": "text"},
                }
            },
        }
    )


class Outward:
    """The ERP is a table in a database of its own. `sync` brings its rows into the warehouse, as a load does."""

    def __init__(self, world: World, target_url: str, name: str = "erp") -> None:
        self.world = world
        self.target_url = target_url
        self.target = target(target=name, system=name)
        with psycopg.connect(target_url) as owner:
            owner.execute(TABLE)

    def endpoint(self) -> Endpoint:
        """Where the ERP's database is."""
        parts = conninfo_to_dict(self.target_url)
        where = f"postgres://127.0.0.1:{parts['port']}/{parts['dbname']}"
        return Endpoint(where, str(parts["user"]), str(parts["password"]))

    def write_back(self) -> WriteBack:
        """The write-back to the target as it is said now."""
        endpoint, its = self.endpoint(), system(self.target.system)
        return WriteBack(
            self.world.url,
            endpoint.url,
            self.target,
            its,
            {"partner": PARTNER},
            opener(self.target, its, endpoint, lambda attempt: None),
        )

    def conform(self, *records: Record) -> ConformReport:
        """Load the records and publish what they change; what is to be written is intended with it."""
        return publish(self.world, [self], records)

    def plan(self, run: Run | None = None) -> Plan | None:
        """Plan what is intended: the plan that needs an approval, where there are two."""
        return next(reversed(self.write_back().plan(run or a_run())), None)

    def rows(self, plan: Plan) -> list[Row]:
        return rows_of(self.world.connection, plan.plan_id)

    def run(self) -> Executed | None:
        """Plan what is intended, and execute what may be: what became of the newest plan."""
        run, back = a_run(), self.write_back()
        back.plan(run)
        return next(reversed(back.execute_ready(run)), None)

    def sql(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Ask the ERP's own database, by nobody's way."""
        with psycopg.connect(self.target_url, autocommit=True, row_factory=dict_row) as direct:
            cursor = direct.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def table(self) -> list[dict[str, Any]]:
        """The ERP's rows."""
        return self.sql("select * from klienci order by nip, id_klienta")

    def sync(self) -> list[Record]:
        """What the ERP's sync would load now."""
        return [
            record(
                self.target.system,
                str(row["id_klienta"]),
                legal_name=row["nazwa"],
                tax_id_pl=row["nip"],
                email=row["email"],
            )
            for row in self.table()
        ]

    def states(self) -> Mapping[str, int]:
        """How many intents there are of each state."""
        return dict(self.world.connection.execute("select state, count(*) from ops.outbox group by 1").fetchall())

    def reference(self, golden_id: object) -> str:
        """Our reference of the golden record."""
        query = "select reference from ops.outbox where golden_id = %s order by intent_id desc limit 1"
        (reference,) = self.world.connection.execute(query, (golden_id,)).fetchone()
        return str(reference)

    def reasons(self) -> list[str]:
        """Why the refused ones are."""
        rows = self.world.connection.execute("select reason from ops.outbox where state = 'refused' order by intent_id")
        return [reason for (reason,) in rows]


def publish(world: World, targets: Sequence[Outward], records: Sequence[Record]) -> ConformReport:
    """Load the records and publish what they change, for several targets at once."""
    return world.conform(*records, on_publish=(record_intents({each.target.target: each.target for each in targets}),))


def a_run() -> Run:
    """The run of a schedule."""
    run_id = f"scheduled__{uuid.uuid4().hex}"
    return Run("write_back__erp", run_id, f"airflow:write_back__erp/{run_id}")
