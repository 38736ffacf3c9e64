"""What the gate would say of the rows that are there, with the edited suites and mappings.

The gate judges a row when it comes, so what is published stays until it comes again, and what waits in quarantine is
judged again by a replay. Here all of them are judged, in the schemas of a dry run, and nothing is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.fields import fields_fingerprint
from onefold.catalog.stream import Stream
from onefold.change.content import JudgedRows, Rows
from onefold.change.project import Project
from onefold.conform.dry_run_schemas import MAPPED, STAGING, create_published_views, drop_published_views
from onefold.mapping.sql import transforms_of
from onefold.quality.gate import Finding
from onefold.quality.suite import Suite, read_suite
from onefold.quality.typed import Typed, make_typed
from onefold.quality.withholding import Withholding, withholding_of
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import LandingTables, StagingTable

Evaluate = Callable[[str, str, str, Suite, str], list[Finding]]
"""Evaluates a suite on schema.table at a URL, whose rows the last name identifies: quality/gate.py."""

_EVALUATED = """
select jsonb_agg(jsonb_build_array(expectation, kwargs, severity) order by position), max(fields_fingerprint)
from ops.gate_result join ops.load using (load_id)
where load_id = (
    select max(g.load_id) from ops.gate_result as g join ops.load as l using (load_id)
    where l.system = %s and l.stream = %s and l.state in ('published', 'rolled_back'))"""
_EVALUATED_ON_GOLDEN = """
select jsonb_agg(jsonb_build_array(expectation, kwargs, severity) order by position) from ops.gate_result
where suite = %(suite)s and publish_id = (
    select max(g.publish_id) from ops.gate_result as g join ops.publish as p using (publish_id)
    where g.suite = %(suite)s and p.state = 'published')"""
_COPY = {
    "published": (
        "create unlogged table {judged} as select _key, _cursor, _payload, _deleted, _withheld,"
        " null::text as expectation from {current} where not _deleted"
    ),
    "waiting": (
        "create unlogged table {judged} as select _key, _cursor, payload as _payload, false as _deleted,"
        " null::jsonb as _withheld, expectation from (select distinct on (_key) * from ops.quarantine"
        " where state = 'open' and attribute is null and payload is not null and not key_conflict"
        " and system = {system} and stream = {stream} order by _key, quarantine_id desc) as q"
    ),
}


@dataclass(frozen=True, slots=True)
class _Tables(LandingTables):
    """The tables that the gate reads, in the schemas of a dry run."""

    @property
    def candidate(self) -> sql.Identifier:
        return sql.Identifier(STAGING, "judged")

    @property
    def typed(self) -> sql.Identifier:
        return sql.Identifier(STAGING, self.typed_name)

    @property
    def typed_name(self) -> str:
        return "judged__typed"


def streams_judged_otherwise(connection: psycopg.Connection, project: Project) -> list[str]:
    """The streams (system.stream) whose suite or fields say something else than those that judged their newest load."""
    found = []
    for system in project.catalog.systems.values():
        for name, stream in system.streams.items():
            judged_by, fields = one_row(connection.execute(_EVALUATED, (system.system, name)))
            suite = read_suite(f"{system.system}__{name}", project.expectations)
            other_suite = judged_by is not None and judged_by != _written(suite)
            if other_suite or (fields is not None and fields != fields_fingerprint(stream.fields)):
                found.append(f"{system.system}.{name}")
    return found


def _written(suite: Suite) -> list[list[object]]:
    """The suite as ops.gate_result keeps it."""
    return [[each.type, each.kwargs, each.severity] for each in suite.expectations]


def judge_golden_again(
    connection: psycopg.Connection, url: str, project: Project, evaluate: Evaluate
) -> Iterator[JudgedRows]:
    """Judge the published golden records of each entity whose suite says something else than the one that judged its
    newest publish; call it with the dry_run_lock. They stay published, and are held back when they change."""
    for entity in project.entities:
        name = entity.entity
        suite = read_suite(name, project.expectations)
        judged_by = one_row(connection.execute(_EVALUATED_ON_GOLDEN, {"suite": name}))[0]
        if judged_by is None or judged_by == _written(suite):
            continue
        create_published_views(connection, entity)
        try:
            view = sql.Identifier(MAPPED, f"{name}__published")
            connection.execute(
                sql.SQL("create view {} as select * from {} where _ended_publish_id is null").format(
                    view, sql.Identifier(MAPPED, f"{name}_version")
                )
            )
            rows = int(one_row(connection.execute(sql.SQL("select count(*) from {}").format(view)))[0])
            findings = evaluate(url, MAPPED, f"{name}__published", suite, f"{name}_id") if rows else []
            failing = {f.expectation.label: f.unexpected_rows or 0 for f in findings if not f.success}
            yield JudgedRows(
                stream=name,
                rows_are="golden",
                rows=rows,
                refused_rows=max(failing.values(), default=0),
                refused=failing,
                passing={},
                withheld={},
            )
        finally:
            drop_published_views(connection, [entity])


def judge_again(
    connection: psycopg.Connection, url: str, project: Project, streams: Iterable[str], evaluate: Evaluate
) -> Iterator[JudgedRows]:
    """Judge what these streams have published, and what of them waits; call it with the dry_run_lock."""
    for name in streams:
        system, _, stream_name = name.partition(".")
        table = StagingTable(system, stream_name)
        stream = project.catalog.systems[system].streams[stream_name]
        suite = read_suite(table.name, project.expectations)
        if not one_row(connection.execute("select to_regclass(%s)", (table.current.as_string(connection),)))[0]:
            continue
        with transforms_of(project.root):
            withholding = withholding_of(stream, name, project.catalog.entities)
            for rows_are in ("published", "waiting"):
                judged = _judge(connection, url, table, stream, suite, withholding, rows_are, evaluate)
                if judged and judged.says_something:
                    yield judged


def _judge(
    connection: psycopg.Connection,
    url: str,
    table: StagingTable,
    stream: Stream,
    suite: Suite,
    withholding: Withholding,
    rows_are: Rows,
    evaluate: Evaluate,
) -> JudgedRows | None:
    tables = _Tables(0)
    drop = sql.SQL("drop table if exists {}, {}").format(tables.candidate, tables.typed)
    connection.execute(drop)
    connection.execute(
        sql.SQL(_COPY[rows_are]).format(
            judged=tables.candidate,
            current=table.current,
            system=sql.Literal(table.system),
            stream=sql.Literal(table.stream),
        )
    )
    try:
        typed = make_typed(connection, tables, stream, withholding, suite)
        if not typed.rows:
            return None
        findings = evaluate(url, STAGING, tables.typed_name, suite, "_key")
        return _read(connection, tables, f"{table.system}.{table.stream}", typed, findings, withholding, rows_are)
    finally:
        connection.execute(drop)


def _read(
    connection: psycopg.Connection,
    tables: _Tables,
    name: str,
    typed: Typed,
    findings: Sequence[Finding],
    withholding: Withholding,
    rows_are: Rows,
) -> JudgedRows:
    failing: dict[str, sql.Composed] = {}
    withheld_by: list[tuple[tuple[str, ...], sql.Composed]] = []
    for finding in findings:
        if finding.success or finding.rows_query is None:
            continue
        if rule := withholding.broken_rule(finding.expectation):
            withheld_by.append((rule[1], finding.rows_query))
        elif finding.critical:
            failing[finding.expectation.label] = finding.rows_query
    any_of = sql.SQL(" union ").join([sql.SQL("select null::text as _key where false"), *failing.values()])
    count = sql.SQL("select count(distinct _key) from ({}) as failing")
    refused = {label: int(one_row(connection.execute(count.format(rows)))[0]) for label, rows in failing.items()}
    passing = connection.execute(
        sql.SQL(
            "select expectation, count(*) from {} where expectation is not null and _key not in ({})"
            " group by 1 order by 1"
        ).format(tables.candidate, any_of)
    ).fetchall()
    for code in typed.codes:
        keys = sql.SQL("select _key from {} where {} = any (string_to_array(_withheld, ','))").format(
            tables.typed, sql.Literal(code)
        )
        withheld_by.append((typed.fault(code).attributes, keys))
    return JudgedRows(
        stream=name,
        rows_are=rows_are,
        rows=typed.rows,
        refused_rows=int(one_row(connection.execute(count.format(any_of)))[0]),
        refused=refused,
        passing=dict(passing),
        withheld=_withheld(connection, tables, withheld_by, any_of) if rows_are == "published" else {},
    )


def _withheld(
    connection: psycopg.Connection,
    tables: _Tables,
    by: Sequence[tuple[tuple[str, ...], sql.Composed]],
    refused: sql.Composed,
) -> dict[str, tuple[int, int]]:
    """By attribute: of how many rows its value is withheld, and would be."""
    rows = connection.execute(
        sql.SQL("select key, count(*) from {}, jsonb_object_keys(_withheld) as key group by 1").format(tables.candidate)
    ).fetchall()
    before: dict[str, int] = dict(rows)
    keys: dict[str, list[sql.Composed]] = {}
    for attributes, query in by:
        for attribute in attributes:
            keys.setdefault(attribute, []).append(query)
    after: Counter[str] = Counter()
    for attribute, queries in keys.items():
        after[attribute] = one_row(
            connection.execute(
                sql.SQL("select count(*) from ({}) as withheld where _key not in ({})").format(
                    sql.SQL(" union ").join(queries), refused
                )
            )
        )[0]
    return {name: (before.get(name, 0), after[name]) for name in sorted(before.keys() | after.keys())}
