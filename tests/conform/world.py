"""A small world to conform: an entity of its own, its mapped tables, and a way to build without dbt's start-up time.

The models are the generated ones; only their rendering is done here, with the plain Jinja that they use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.conform.candidate import Candidate, Failure
from onefold.conform.publish_ledger import Publish
from onefold.conform.report import ConformReport
from onefold.conform.run import OnPublish, conform_with_build
from onefold.mapping.golden import files, tables_sql
from onefold.settings import ROOT
from tests.conform.jinja import Renderer

STREAMS = {"crm": "account", "erp": "partner", "court": "extract"}


def _attribute(personal: str = "none", **more: object) -> dict[str, object]:
    sources = {f"{system}.{stream}": {"field": f"{system}_field"} for system, stream in STREAMS.items()}
    return {"meaning": "what it says", "personal": personal, "sources": sources, **more}


PARTNER = Entity.model_validate(
    {
        "entity": "partner",
        "title": "Partner",
        "version": 1,
        "trust": ["court", "crm", "erp"],
        "identity": {
            "strong": ["tax_id_pl", "regon", "krs"],
            "probabilistic": {"name": "legal_name", "address": ["postal_code", "street"]},
        },
        "living": {"attribute": "status", "ended": ["ended", "struck_off"]},
        "attributes": {
            "legal_name": _attribute("organisation"),
            "tax_id_pl": _attribute(),
            "regon": _attribute(),
            "krs": _attribute(),
            "email": _attribute("contact", trust=["erp", "crm"]),
            "street": _attribute(),
            "postal_code": _attribute(),
            "credit_limit": _attribute(type="numeric", withheld_with=["currency"]),
            "currency": _attribute(),
            "status": _attribute(),
            "last_changed": _attribute(type="timestamptz", survivorship="latest"),
        },
    }
)
GENERATED = files(PARTNER, {PARTNER.entity: PARTNER})
MODELS = {Path(path).stem: text for path, text in GENERATED.items() if path.startswith("dbt_project/models")}
CHECKS = {Path(path).stem: text for path, text in GENERATED.items() if path.startswith("dbt_project/tests")}
VIEWS = next(text for path, text in GENERATED.items() if path.endswith("51_conformed__partner.sql"))
DDL = tables_sql(PARTNER) + VIEWS
RENDERER = Renderer(
    file
    for folder in ("resolve", "transforms/support")
    for file in (ROOT / "dbt_project/macros" / folder).glob("*.sql")
)
MAPPINGS = {"partner": "as it is"}
ACTOR = "user:tester"


@dataclass(frozen=True)
class Record:
    """One mapped record. A value of "" is a null."""

    system: str
    key: str
    deleted: bool = False
    attributes: Mapping[str, object] = field(default_factory=dict)

    @property
    def record(self) -> str:
        return f"{self.system}|{STREAMS[self.system]}|{self.key}"


def record(system: str, key: str, *, deleted: bool = False, **attributes: object) -> Record:
    return Record(system, key, deleted, attributes)


def render(text: str, **variables: object) -> str:
    """The SQL of a model, as dbt would render it."""
    return _render(text, lambda name: f"mapped.{name}", variables)


def _render(text: str, ref: Callable[[str], str], variables: Mapping[str, object]) -> str:
    return RENDERER.render(
        text,
        ref=ref,
        var=lambda name, default=None: variables.get(name, default),
        config=lambda **_: "",
    )


def _refs(text: str) -> set[str]:
    """The models that a model reads."""
    named: list[str] = []
    # list.append gives None: what it is rendered to does not matter
    _render(text, lambda name: str(named.append(name)), {"full_mapping": ()})
    return set(named)


def build_order() -> list[str]:
    """The models, each after those that it reads."""
    needs = {name: _refs(text) & set(MODELS) for name, text in MODELS.items()}
    order: list[str] = []
    while needs:
        ready = sorted(name for name, others in needs.items() if others <= set(order))
        order += ready
        needs = {name: others for name, others in needs.items() if name not in ready}
    return order


class World:
    """A warehouse with the test entity installed. The loads that add() makes are published loads."""

    def __init__(self, superuser_url: str, url: str) -> None:
        self.url = url
        with psycopg.connect(superuser_url) as owner:
            owner.execute(DDL)
        self.connection = psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC")
        columns = ", ".join(f"{name} {spec.type}" for name, spec in PARTNER.attributes.items())
        for system in PARTNER.systems:
            self.connection.execute(
                f"create table mapped.{system}__partner (_record text primary key, _system text, _stream text,"
                f" _key text, _load_id bigint, _deleted boolean, _extracted_at timestamptz,"
                f" _mapping_version int, {columns})"
            )

    def close(self) -> None:
        self.connection.close()

    def load(self, records: Iterable[Record]) -> int:
        """Bring the records in by one published load, and return its id."""
        load_id = self.connection.execute(
            "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_new)"
            " values ('crm', 'account', '2026-01-01', '2026-01-02', 'published', 'd', 'r', 'a', 1) returning load_id"
        ).fetchone()[0]
        for each in records:
            values = {
                "_record": each.record,
                "_system": each.system,
                "_stream": STREAMS[each.system],
                "_key": each.key,
                "_load_id": load_id,
                "_deleted": each.deleted,
                "_extracted_at": "2026-01-02",
                "_mapping_version": 1,
            } | {name: value or None for name, value in each.attributes.items()}
            table = sql.Identifier("mapped", f"{each.system}__partner")
            self.connection.execute(sql.SQL("delete from {} where _record = %s").format(table), (each.record,))
            self.connection.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    table,
                    sql.SQL(", ").join(map(sql.Identifier, values)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(values)),
                ),
                list(values.values()),
            )
        return load_id

    def build(self, publish: Publish) -> None:
        """What dbt build does with the generated models and tests."""
        with psycopg.connect(self.url, autocommit=True, options="-c TimeZone=UTC") as connection:
            for model in build_order():
                body = render(MODELS[model], publish_id=publish.publish_id, full_mapping=publish.full_mapping)
                connection.execute(f"drop table if exists mapped.{model}")
                connection.execute(f"create unlogged table mapped.{model} as {body}")
            for name, check in CHECKS.items():
                assert connection.execute(render(check)).fetchall() == [], name

    def conform(self, *records: Record, gate: object = None, on_publish: tuple[OnPublish, ...] = ()) -> ConformReport:
        """Load the records, if any, and conform."""
        if records:
            self.load(records)
        return conform_with_build(
            self.url, ACTOR, gate or accept, [PARTNER], self.build, mappings=MAPPINGS, on_publish=on_publish
        )

    def empty(self) -> None:
        """Forget everything that was loaded and published."""
        mapped = ", ".join(f"mapped.{system}__partner" for system in PARTNER.systems)
        self.connection.execute(
            f"truncate {mapped}, mapped.partner__identifier, conformed.partner_version,"
            " conformed.partner_crosswalk_version"
        )
        for table in (
            "held_back",
            "golden_record_warning",
            "identity_conflict",
            "published",
            "publish_load",
            "publish",
            "load",
        ):
            self.connection.execute(sql.SQL("delete from ops.{}").format(sql.Identifier(table)))

    def begin_mixed_load(self) -> None:
        """Nothing but this is there: something is published, and a load waits that changes, joins, holds back, lets go
        of what is held back, warns and deletes. For the gate no_bad_email."""
        self.empty()
        self.conform(
            record("crm", "a", tax_id_pl="1"),
            record("crm", "c", tax_id_pl="3", email="odd"),
            record("crm", "d", tax_id_pl="4", email="bad"),
            record("court", "f", krs="6", legal_name="F"),
            gate=no_bad_email,
        )
        self.load(
            [
                record("crm", "a", tax_id_pl="1", email="bad"),
                record("crm", "b", tax_id_pl="2", email="odd"),
                record("crm", "c", tax_id_pl="3"),
                record("crm", "d", tax_id_pl="4", email="good"),
                record("erp", "e", tax_id_pl="3", krs="6"),
                record("court", "f", krs="6", legal_name="F", deleted=True),
            ]
        )

    def clusters(self) -> set[frozenset[str]]:
        """The published clustering: the keys of the records that are one."""
        rows = self.connection.execute(
            "select array_agg(key) from conformed.partner_crosswalk group by partner_id"
        ).fetchall()
        return {frozenset(keys) for (keys,) in rows}

    def id_of(self, key: str) -> str:
        """The golden id of the record with this key."""
        return self.connection.execute(
            "select partner_id::text from conformed.partner_crosswalk where key = %s", (key,)
        ).fetchone()[0]

    def golden(self, key: str, *columns: str) -> tuple[object, ...]:
        """Columns of the golden record that the record with this key belongs to."""
        return self.connection.execute(
            sql.SQL("select {} from conformed.partner where partner_id = %s").format(
                sql.SQL(", ").join(map(sql.Identifier, columns))
            ),
            (self.id_of(key),),
        ).fetchone()


def accept(candidate: Candidate) -> Sequence[Failure]:
    """A gate that lets everything pass."""
    assert (candidate.schema, candidate.table, candidate.key) == ("mapped", "partner__candidate", "partner_id")
    return ()


def sets(*clusters: str) -> set[frozenset[str]]:
    """Clusters of one-letter keys: sets("ab", "c")."""
    return {frozenset(cluster) for cluster in clusters}


def no_bad_email(candidate: Candidate) -> Sequence[Failure]:
    """A suite: 'bad' is no e-mail address, and 'odd' is worth a warning."""
    query = "select partner_id from mapped.partner__candidate where email = {}"
    return [
        Failure(f"email is not {value}", f"the e-mail is {value}", critical, sql.SQL(query).format(sql.Literal(value)))
        for value, critical in (("bad", True), ("odd", False))
    ]
