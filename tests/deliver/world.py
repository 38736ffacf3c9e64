"""A warehouse with published entities whose versions the tests write themselves, and targets to deliver them to."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.catalog.reader import read_catalog
from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.ledger import DeliveryReport
from onefold.deliver.run import deliver
from onefold.deliver.target import Target
from onefold.deliver.write import Step
from onefold.load.ledger import Run
from tests.roles import as_role

ENTITIES = {name: read_catalog().entities[name] for name in ("customer", "contact", "exchange_rate")}
RUN = Run("deliver__here", "manual__1", "user:tester")
Attributes = Mapping[str, object]


def record_id(entity: str, number: int) -> str:
    """The id of the golden record with this number."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{entity}/{number}"))


@dataclass
class World:
    """`url` is the superuser's. Each call of publish() is one publish of conform."""

    url: str
    said: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loader = as_role(self.url, "onefold_loader")
        self.owner = psycopg.connect(self.url, autocommit=True)

    def publish(self, changes: Mapping[str, Mapping[int, Attributes | None]]) -> int:
        """Publish new versions of these golden records; None ends one. Returns the publish."""
        with self.owner.transaction():
            (publish,) = self.owner.execute(
                "insert into ops.publish (actor, mappings, state, ended_at) values ('user:tester', '{}', 'published',"
                " clock_timestamp()) returning publish_id"
            ).fetchone()
            for entity in ENTITIES:
                self._write(entity, publish, changes.get(entity, {}))
                self.show(entity, publish)
        return publish

    def show(self, entity: str, publish: int) -> None:
        self.owner.execute(
            "insert into ops.published (entity, publish_id, actor) values (%s, %s, 'user:tester')"
            " on conflict (entity) do update set publish_id = excluded.publish_id",
            (entity, publish),
        )

    def _write(self, entity: str, publish: int, changes: Mapping[int, Attributes | None]) -> None:
        ids = [record_id(entity, number) for number in changes]
        self.owner.execute(
            sql.SQL(
                "update conformed.{} set _ended_publish_id = %s where {} = any (%s::uuid[]) and"
                " _ended_publish_id is null"
            ).format(sql.Identifier(f"{entity}_version"), sql.Identifier(f"{entity}_id")),
            (publish, ids),
        )
        fixed = {
            "source_of_truth": "crm",
            "_systems": ["crm", "erp"],
            "_records": 2,
            "_members": [],
            "_loads": [],
            "_mapping_versions": [],
            "_winning_members": [],
            "_hash": "h",
            "_publish_id": publish,
        }
        with self.owner.cursor() as cursor:
            for number, attributes in changes.items():
                if attributes is None:
                    continue
                row = {f"{entity}_id": record_id(entity, number), **fixed, **attributes}
                cursor.execute(
                    sql.SQL("insert into conformed.{} ({}) values ({})").format(
                        sql.Identifier(f"{entity}_version"),
                        sql.SQL(", ").join(map(sql.Identifier, row)),
                        sql.SQL(", ").join(sql.Placeholder() * len(row)),
                    ),
                    list(row.values()),
                )

    def crosswalk(self, entity: str, record: str, number: int, publish: int) -> None:
        system, stream, key = record.split("|")
        self.owner.execute(
            sql.SQL(
                "insert into conformed.{} (record, system, stream, key, {}, _publish_id)"
                " values (%s, %s, %s, %s, %s, %s)"
            ).format(sql.Identifier(f"{entity}_crosswalk_version"), sql.Identifier(f"{entity}_id")),
            (record, system, stream, key, record_id(entity, number), publish),
        )

    def mart(self, name: str, query: str) -> None:
        self.owner.execute(f"create or replace view marts.{name} as {query}".encode())
        self.owner.execute(f"grant select on marts.{name} to onefold_loader".encode())

    def target_file(self, kind: str, **more: object) -> DeliveryTarget:
        address = {"path": "here.duckdb"} if kind == "duckdb" else {"connection": "here"}
        return DeliveryTarget.model_validate({"warehouse": "here", "title": "Here", "kind": kind, **address, **more})

    def deliver(
        self, target: Target, *, full: bool = False, step: Step = lambda name: None, **more: object
    ) -> DeliveryReport:
        said = self.target_file("duckdb", **more)
        return deliver(self.loader, target, said, ENTITIES, RUN, recorded=record_delivery, full=full, step=step)
