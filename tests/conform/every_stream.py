"""A warehouse in which every stream of the catalogue was loaded and conformed, to change single records of."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.reader import read_catalog
from onefold.conform.candidate import Gate
from onefold.conform.gate import entity_gate
from onefold.conform.report import ConformReport
from onefold.conform.run import conform_with_build
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.errors import Rejected
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.mapping.golden import identifiers
from onefold.quality.suite import suite_fingerprints
from tests.conform.rendered import build
from tests.roles import as_role

CATALOG = read_catalog()
ENTITIES = list(CATALOG.entities.values())
FEEDS = sorted({stream for entity in ENTITIES for stream in entity.streams})
FEW = 40
"""Rows of a stream with daily rates and the like that are enough here."""
_runs = itertools.count(1)

Payload = dict[str, object]


@dataclass
class Warehouse:
    """A warehouse in which every stream was loaded and conformed."""

    url: str

    def __post_init__(self) -> None:
        self.loader = as_role(self.url, "onefold_loader")

    def query(self, text: sql.Composed, *values: object) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text, values).fetchall()

    def rows(self, stream: str) -> dict[str, tuple[str | None, Payload]]:
        """Cursor and content of each living record of the stream, by its key."""
        select = sql.SQL("select _key, _cursor, _payload from {} where not _deleted order by _key")
        found = self.query(select.format(_current(stream)))
        return {key: (cursor, payload) for key, cursor, payload in found}

    def load(self, stream: str, key: str, changed: Payload, *, deleted: bool = False) -> Load | None:
        """Load the stream with one record changed, or deleted; None when the gate refuses the load."""
        rows = self.rows(stream)
        select = sql.SQL("select _cursor from {} where _key = %s").format(_current(stream))
        rows[key] = (self.query(select, key)[0][0], changed)
        page = Page(
            [
                Record(each, cursor, deleted and each == key, json.dumps(payload).encode())
                for each, (cursor, payload) in rows.items()
            ],
            datetime.now(UTC),
            None,
        )

        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            yield lambda window, token: iter([page])

        system, _, name = stream.partition(".")
        job = Job(
            system=CATALOG.systems[system],
            stream_name=name,
            run=Run(f"sync__{system}", f"one__{next(_runs)}", "os:tester"),
            source=source,
            source_url="https://source.example",
            warehouse_url=self.loader,
            entities=CATALOG.entities,
            run_is_over=lambda dag_id, run_id: True,
        )
        steps.land(job)
        try:
            steps.gate(job)
        except Rejected:
            return None
        return steps.publish(job)

    def conform(self, *, judged: bool = True, gate: Gate | None = None, mapping: str = "of this test") -> ConformReport:
        """Conform what was loaded, judged by the suites or by that gate; all of it anew where the mapping is another
        one."""
        return conform_with_build(
            self.loader,
            "os:tester",
            gate or (entity_gate(self.loader) if judged else lambda candidate: ()),
            ENTITIES,
            lambda publish: build(self.loader, ENTITIES, publish),
            mappings=dict.fromkeys(CATALOG.entities, mapping),
            suites=suite_fingerprints(CATALOG.entities),
        )

    def golden(self) -> dict[str, dict[str, tuple]]:
        """By entity and id, all that analysts see of each golden record: its version, its records and its warnings."""
        found = {}
        for entity in ENTITIES:
            name = entity.entity
            rows = self.query(
                sql.SQL(
                    "select g.{id}::text, v._hash, v._publish_id, g.warnings, array("
                    "select record from {crosswalk} as x where x.{id} = g.{id} order by 1)"
                    " from {view} as g join {version} as v on v.{id} = g.{id} and v._ended_publish_id is null"
                ).format(
                    id=sql.Identifier(f"{name}_id"),
                    view=sql.Identifier("conformed", name),
                    crosswalk=sql.Identifier("conformed", f"{name}_crosswalk"),
                    version=sql.Identifier("conformed", f"{name}_version"),
                )
            )
            found[name] = {each: tuple(rest) for each, *rest in rows}
        return found

    def concerned(self, entity: Entity, record: str) -> set[str]:
        """The golden records that hold the record, or one that shares an identifier with it."""
        name = entity.entity
        same = sql.SQL(" or ").join(
            sql.SQL("other.{0} = mine.{0}").format(sql.Identifier(column)) for column in identifiers(entity)
        )
        rows = self.query(
            sql.SQL(
                "with known as (select record, {columns} from {known} union all select record, {columns} from {fresh})"
                " select {id}::text from {crosswalk} where record = %s or record in"
                " (select other.record from known as mine join known as other on {same} where mine.record = %s)"
            ).format(
                columns=sql.SQL(", ").join(map(sql.Identifier, identifiers(entity))),
                known=sql.Identifier("mapped", f"{name}__identifier"),
                fresh=sql.Identifier("mapped", f"{name}__candidate_identifier"),
                id=sql.Identifier(f"{name}_id"),
                crosswalk=sql.Identifier("conformed", f"{name}_crosswalk"),
                same=same,
            ),
            record,
            record,
        )
        return {each for (each,) in rows}


def _current(stream: str) -> sql.Identifier:
    return sql.Identifier("staging", f"{stream.replace('.', '__')}__current")
