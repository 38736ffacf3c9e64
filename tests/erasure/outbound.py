"""A stream of persons whose golden records are delivered to another warehouse and written into another system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pytest

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.catalog.entity import Entity
from onefold.conform.run import conform_with_build
from onefold.conform.visible_publish import switch_visible_publish
from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.duckdb_file import DuckDbFile
from onefold.deliver.postgres import PostgresTarget
from onefold.deliver.run import deliver, verify
from onefold.deliver.target import Target
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.mapping.golden import files, tables_sql
from onefold.mapping.mapped_model import model_name, model_sql
from onefold.warehouse.connection import connect
from onefold.write_back.intents import record_intents
from onefold.write_back.place import place_of
from onefold.write_back.run import WriteBack
from tests.approvals import answer
from tests.conform import rendered
from tests.deliver.crashing import Dying
from tests.erasure.erasing import ErasingWorld, client
from tests.erasure.register import REGISTER, Killed, Register, RegisterOutbound, die, write_target
from tests.retention.conftest import Warehouse
from tests.write_back.world import a_run

_RUN = Run("deliver__there", "manual__1", "os:tester")
_NEWEST = """
select distinct on (golden_id) golden_id::text, publish_id, reference, state, wanted from ops.outbox
where target = %s order by golden_id, intent_id desc
"""
_VERSIONS = "select {0}_id::text, _publish_id, _ended_publish_id, email, credit from conformed.{0}_version"
_VISIBLE = "select publish_id from ops.published where entity = %s"


@dataclass(frozen=True)
class Delivered:
    """What readers of the other warehouse see: golden records, their history, and a mart."""

    golden: frozenset[tuple]
    history: frozenset[tuple]
    mart: frozenset[tuple]


NOTHING = Delivered(frozenset(), frozenset(), frozenset())


class OutboundWorld(ErasingWorld):
    """Golden records of the stream's persons, the warehouse that they are delivered to, and the register."""

    def __init__(self, url: str, suites: Path, owner_url: str, other: Callable[[], str] | None = None) -> None:
        super().__init__(url, suites, owner_url)
        self.entity = person(self.shop.stream)
        self.has_people(self.entity)
        generated = files(self.entity, self.people.entities)
        self.models = {Path(path).stem: text for path, text in generated.items() if "/models/" in path}
        self.models[model_name("shop", self.entity.entity)] = model_sql(self.entity, self.shop.system)
        name = self.entity.entity
        with psycopg.connect(owner_url) as owner:
            owner.execute(tables_sql(self.entity))
            owner.execute(next(text for path, text in generated.items() if path.endswith(f"conformed__{name}.sql")))
            mart = "create view marts.{0}_credit as select credit, count(*) from conformed.{0} group by 1"
            owner.execute(mart.format(name))
            owner.execute(f"grant select on marts.{name}_credit to onefold_loader")
        self.owner = psycopg.connect(owner_url, autocommit=True)
        self.place = suites / f"{name}.duckdb"
        self.other_url = other() if other else None
        self.there: Target = (
            PostgresTarget(name, self.other_url, "postgres://there") if self.other_url else DuckDbFile(name, self.place)
        )
        self.shown, self.pointer = NOTHING, 0
        self.register = Register()
        self.target = write_target(self.entity)
        self.published: dict[tuple[str, int], tuple] = {}
        self.erased_after: dict[str, int] = {}
        self.publishes: list[int] = []

    def close(self) -> None:
        super().close()
        self.owner.close()

    # The operations

    conforms = True

    def conform(self) -> None:
        """Publish the golden records that changed; what is to be written is intended with it."""
        entities = [self.entity]
        report = conform_with_build(
            self.shop.url,
            "os:tester",
            lambda candidate: (),
            entities,
            lambda publish: rendered.build(self.shop.url, entities, publish, self.models),
            mappings={self.entity.entity: "one"},
            on_publish=(record_intents({self.target.target: self.target}),),
        )
        if report.publish_id is not None:
            self.publishes.append(report.publish_id)
        for golden, since, _, email, credit in self._versions():
            self.published.setdefault((golden, since), (email, credit))

    def retain(self, warehouse: Warehouse, loads: int) -> None:
        """What is published is past its period, and taken in."""
        self.conform()
        super().retain(warehouse, loads)

    def switch(self, pick: int) -> None:
        """Readers see an earlier publish, or the newest one again."""
        if self.publishes:
            with connect(self.shop.url, autocommit=True) as loader:
                switch_visible_publish(loader, self.publishes[pick % len(self.publishes)], "os:tester")

    def deliver(self, dies_at: int | None) -> None:
        """Deliver what changed; its process may be killed. A delivery that ends shows what is published here."""
        target = Dying(self.there, dies_at, die) if dies_at else self.there
        with suppress(Killed):
            self._deliver(target)
        if (pointer := self._pointer()) != self.pointer:
            self.shown, self.pointer = self.expected(), pointer
        if not dies_at:
            assert self.shown == self.expected()

    def _deliver(self, target: Target) -> None:
        deliver(self.shop.url, target, self._said(), self.people.entities, _RUN, recorded=record_delivery)

    def verify(self) -> None:
        """Every row of the other warehouse is compared."""
        found = verify(self.shop.url, self.there, self._said(), self.people.entities, _RUN, recorded=record_delivery)
        assert found[1] == []

    def plan(self) -> None:
        """Plan what is intended to be written."""
        self._write_back().plan(a_run())

    def decide(self, approved: bool) -> None:
        """Somebody approves the plans that wait, or turns them down."""
        for plan in self._write_back().waiting():
            answer(self.shop.url, plan.subject, "ewa", approved=approved)
            if not approved:
                self._write_back().turn_down(plan.plan_id)

    def write(self, dies_at: int | None, lost: Mapping[int, bool]) -> None:
        """Execute the plans that may be; answers are lost, or its process is killed. Nobody executes the others."""
        for plan in self._write_back().waiting():
            with pytest.raises(Fatal, match="approve"):
                self._write_back().execute(plan.plan_id, a_run())
        self.register.lost = {self.register.changes + at: made for at, made in lost.items()}
        self.register.moment, self.register.dies_at = 0, dies_at
        with suppress(Killed):
            self._write_back().execute_ready(a_run())
        self.register.lost, self.register.dies_at = {}, None

    def erase(self, key: str) -> None:
        super().erase(key)
        self.erased_after.setdefault(self.address(key), len(self.register.written))

    def go_on(self) -> None:
        """Publish, deliver, plan, approve and write until nothing is open."""
        self.conform()
        self.switch(-1)
        self.deliver(None)
        self._write_back().replay(a_run())
        for _ in range(20):
            self.plan()
            self.decide(approved=True)
            if not self._write_back().execute_ready(a_run()):
                break
        open_states = (
            "select state, reason from ops.outbox where target = %s and state not in ('confirmed', 'superseded')"
        )
        left = self.owner.execute(open_states, (self.target.target,)).fetchall()
        assert left == [], left

    # What must hold

    def has_sent_what_it_had_to(self) -> None:
        """The other warehouse shows what it showed when it was last delivered to; the register has each golden record
        once, as it was last confirmed, and was never given what was not published, or was erased."""
        assert self.seen_there() == self.shown
        references = [row["reference"] for row in self.register.rows.values()]
        assert len(references) == len(set(references)), "a golden record is there twice"
        outbox = self.owner.execute(_NEWEST, (self.target.target,)).fetchall()
        golden_of = dict(self.owner.execute("select reference, golden_id::text from ops.outbox").fetchall())
        versions: dict[str, set[tuple]] = {}
        for (golden, _), values in self.published.items():
            versions.setdefault(golden, set()).add(values)
        for at, (reference, values) in enumerate(self.register.written):
            assert values in versions[golden_of[reference]], f"{values} was written and never published"
            assert at < self.erased_after.get(str(values[0]), at + 1), "an erased person is written"
        there = {row["reference"]: (row["mail"], row["credit"]) for row in self.register.rows.values()}
        living = {golden for golden, _, until, email, _ in self._versions() if until is None and email}
        for golden, publish, reference, state, wanted in outbox:
            if state == "confirmed" and (wanted == "delete" or golden not in living):
                assert reference not in there
            elif state == "confirmed":
                assert there[reference] == self.published[golden, publish]

    def has_reached_everybody(self) -> None:
        """In the end the register has the golden records, and nobody who was erased; nor has the other warehouse."""
        (visible,) = self.owner.execute(_VISIBLE, (self.entity.entity,)).fetchone() or (0,)
        living = {(email, credit) for _, _, until, email, credit in self._versions() if until is None and email}
        assert visible == max(self.publishes, default=0)
        there = {(row["mail"], row["credit"]) for row in self.register.rows.values()}
        assert there == living
        self.verify()
        assert not [address for address in self.erased_after if address.encode() in self._bytes_there()]

    def expected(self) -> Delivered:
        """What readers of this warehouse see."""
        found = self.owner.execute(_VISIBLE, (self.entity.entity,)).fetchone()
        visible = found[0] if found else 0
        rows = [
            (golden, since, until if until and until <= visible else None, email, credit)
            for golden, since, until, email, credit in self._versions()
            if since <= visible
        ]
        living = [row for row in rows if row[2] is None]
        counts: dict[object, int] = {}
        for *_, credit in living:
            counts[credit] = counts.get(credit, 0) + 1
        golden = frozenset((golden, email, credit) for golden, _, _, email, credit in living)
        return Delivered(golden, frozenset(rows), frozenset(counts.items()))

    def seen_there(self) -> Delivered:
        """What readers of the other warehouse see."""
        if not self.pointer:
            return NOTHING
        name = self.entity.entity
        seen = (
            "select {0}_id, email, credit from conformed_personal.{0}",
            "select {0}_id, from_publish, to_publish, email, credit from conformed_personal.{0}_history",
            "select * from marts.{0}_credit",
        )
        return Delivered(*(frozenset(self._ask_there(query.format(name))) for query in seen))

    def _ask_there(self, query: str) -> list[tuple]:
        if self.other_url:
            with psycopg.connect(self.other_url) as connection:
                return connection.execute(query.encode()).fetchall()
        with duckdb.connect(str(self.place), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def _pointer(self) -> int:
        with suppress(duckdb.Error, psycopg.Error):  # no delivery has begun yet
            return max(
                (delivery for (delivery,) in self._ask_there("select delivery_id from onefold.published")), default=0
            )
        return 0

    def _bytes_there(self) -> bytes:
        if not self.other_url:
            return b"".join(path.read_bytes() for path in self.place.parent.glob(f"{self.place.name}*"))
        tables = self._ask_there("select table_name from information_schema.tables where table_schema = 'onefold'")
        query = 'select * from onefold."{}"'
        return repr([self._ask_there(query.format(table)) for (table,) in tables]).encode()

    def _versions(self) -> list[tuple]:
        rows = self.owner.execute(_VERSIONS.format(self.entity.entity).encode()).fetchall()
        return [(*row[:4], row[4] if row[4] is None else Decimal(row[4])) for row in rows]

    def _said(self) -> DeliveryTarget:
        name = self.entity.entity
        said = {"entities": [name], "marts": [f"{name}_credit"], "personal": [name]}
        return DeliveryTarget.model_validate(
            {"warehouse": "there", "title": "There", "kind": "duckdb", "path": "there.duckdb", **said}
        )

    def _write_back(self) -> WriteBack:
        return WriteBack(
            self.shop.url,
            "register://there",
            self.target,
            REGISTER,
            self.people.entities,
            lambda name: RegisterOutbound(self.register, place_of(self.target, REGISTER, name)),
        )


def person(stream: str) -> Entity:
    """The entity of the stream's persons."""
    return client(stream, f"p_{stream}")
