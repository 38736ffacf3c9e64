"""A warehouse that holds a small project's records, and plans and applies edits of it without dbt's start-up time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Entity
from onefold.change.apply import apply_plan
from onefold.change.ledger import Plan
from onefold.change.plan import make_plan
from onefold.change.project import Project, read_project
from onefold.conform.candidate import Candidate, Failure, Gate
from onefold.conform.dry_run import DryRunReport, dry_run_lock, dry_run_publish, fill_shadow, open_pending
from onefold.conform.publish_ledger import Publish
from onefold.conform.report import ConformReport
from onefold.conform.run import conform_with_build
from onefold.load.staging import ensure_all_staging
from onefold.mapping.entity_migration import FOLDER
from onefold.mapping.generate import generate, generated_files
from onefold.mapping.sql import transforms_of
from onefold.quality.gate import Finding
from onefold.quality.suite import Suite, read_suite
from onefold.warehouse.connection import connect
from onefold.warehouse.schema import upgrade_schema
from tests.change.files import SOURCES, STREAMS, Files
from tests.conform.jinja import Renderer
from tests.roles import as_role

ACTOR = "os:tester"
_RESOLVED = [
    "changed",
    "candidate_identifier",
    "member",
    "strong",
    "probabilistic",
    "cluster",
    "conflict",
    "candidate_crosswalk",
    "ended",
    "candidate",
]
Golden = dict[str, dict[str, object]]


class Firms:
    """The warehouse of the project in `root`."""

    def __init__(self, url: str, root: Path) -> None:
        self.url, self.loader = url, as_role(url, "onefold_loader")
        self.files = Files(root)
        self.connection = psycopg.connect(
            self.loader, autocommit=True, options="-c TimeZone=UTC", prepare_threshold=None
        )

    def begin(self) -> None:
        """Write the files, and make the entity's tables."""
        self.files.begin()
        self.follow(read_project(self.files.root))

    def close(self) -> None:
        self.connection.close()

    def follow(self, project: Project) -> None:
        """What `apply` prepares: the generated files, the schema, and the staging tables."""
        lost = ["shop", *_attributes_ever("firm")]
        with transforms_of(project.root):
            generate(
                project.catalog.entities, project.catalog.systems, check=False, root=project.root, accept_loss=lost
            )
        upgrade_schema(self.url, project.root / FOLDER)
        ensure_all_staging(self.loader, project.catalog)

    def load(self, system: str, records: Mapping[str, Mapping[str, object] | None]) -> int:
        """One published load of the system's stream: records by key, None for one that is deleted."""
        stream = STREAMS[system]
        (load_id,) = self.connection.execute(
            "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_new)"
            " values (%s, %s, '2026-01-01', '2026-01-02', 'published', 'd', 'r', 'a', 1) returning load_id",
            (system, stream),
        ).fetchone()
        for key, payload in records.items():
            self.connection.execute(
                sql.SQL(
                    "insert into {} (_key, _hash, _payload, _deleted, _load_id, _extracted_at)"
                    " values (%s, '', %s, %s, %s, '2026-01-02Z')"
                ).format(sql.Identifier("staging", f"{system}__{stream}")),
                (key, Jsonb({"id": key, **(payload or {})}), payload is None, load_id),
            )
        return load_id

    def conform(self) -> ConformReport:
        """What the DAG conform does with the files as they are."""
        project = read_project(self.files.root)
        return conform_with_build(
            self.loader,
            ACTOR,
            suite_gate(project),
            project.entities,
            self.builds(project),
            mappings=project.mappings,
            suites=project.suites,
        )

    def plan(self) -> Plan:
        """Plan what the files say."""
        self.files.write()
        project = read_project(self.files.root)

        @contextmanager
        def builder(of: Project) -> Iterator[Callable[[Publish], object]]:
            yield self.builds(of, shadow="dry_run_")

        return make_plan(self.loader, project, ACTOR, suite_gate(project), builder=builder, evaluate=evaluate)

    def apply(self, plan: Plan) -> ConformReport:
        """Apply the plan."""
        project = read_project(self.files.root)
        return apply_plan(
            self.loader,
            plan.plan_id,
            project,
            ACTOR,
            suite_gate(project),
            self.builds(project),
            prepare=lambda *_: self.follow(project),
        )

    def everything_anew(self) -> DryRunReport:
        """What a conform that maps and resolves every record again would change."""
        project = read_project(self.files.root)
        with connect(self.loader, autocommit=True) as connection, dry_run_lock(connection):
            publish = open_pending(connection, ACTOR, {"firm": "all of it"}, project.suites)
            fill_shadow(connection, project.entities, publish)
            build = self.builds(project, shadow="dry_run_")
            return dry_run_publish(connection, ACTOR, suite_gate(project), project.entities, build, publish)

    def golden(self) -> Golden:
        """Every published golden record by its id, and the records that it is made of."""
        with self.connection.cursor() as cursor:
            rows = cursor.execute("select * from conformed.firm_version where _ended_publish_id is null").fetchall()
            names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return {str(each["firm_id"]): each for each in found}

    def query(self, text: str, *values: object) -> list[tuple]:
        return self.connection.execute(text, values).fetchall()

    def builds(self, project: Project, shadow: str = "") -> Callable[[Publish], None]:
        """Builds the generated models by plain Jinja, in the published schemas or in those of a dry run."""
        with transforms_of(project.root):
            files = generated_files(project.catalog.entities, project.catalog.systems)
        models = {Path(path).stem: text for path, text in files.items() if path.endswith(".sql")}
        macros = (project.root / "dbt_project/macros").rglob("*.sql")
        renderer = _renderer(tuple((path, path.read_bytes()) for path in macros if path.stem != "generate_schema_name"))

        def build(publish: Publish) -> None:
            with psycopg.connect(self.loader, autocommit=True, options="-c TimeZone=UTC") as connection:
                for entity in filter(publish.touches, project.entities):
                    _Build(connection, renderer, models, publish, f"{shadow}mapped", f"{shadow}staging", shadow)(entity)

        return build


_renderers: dict[tuple[tuple[Path, bytes], ...], Renderer] = {}


def _renderer(macros: tuple[tuple[Path, bytes], ...]) -> Renderer:
    """One for the same macros: to compile them takes longer than all that is rendered."""
    key = tuple((Path(path.name), content) for path, content in macros)
    if key not in _renderers:
        _renderers[key] = Renderer(path for path, _ in macros)
    return _renderers[key]


class _Build:
    """What `dbt build` does with the models of an entity."""

    def __init__(
        self,
        connection: psycopg.Connection,
        renderer: Renderer,
        models: Mapping[str, str],
        publish: Publish,
        mapped: str,
        staging: str,
        shadow: str,
    ) -> None:
        self._connection, self._renderer, self._models, self._publish = connection, renderer, models, publish
        self._schemas = {"staging": staging, "ops": "ops", "mapped": mapped}
        self._shadow = shadow

    def __call__(self, entity: Entity) -> None:
        for system in entity.systems:
            self._map(f"{system}__{entity.entity}")
        for model in _RESOLVED:
            if (name := f"{entity.entity}__{model}") in self._models:
                table = sql.Identifier(self._schemas["mapped"], name)
                self._connection.execute(sql.SQL("drop table if exists {}").format(table))
                self._create(table, self._render(name, incremental=False))

    def _map(self, name: str) -> None:
        table, fresh = sql.Identifier(self._schemas["mapped"], name), sql.Identifier("pg_temp", "fresh")
        there = self._columns(table)
        self._connection.execute(b"drop table if exists pg_temp.fresh")
        self._create(fresh, self._render(name, incremental=bool(there)))
        wanted = self._columns(fresh)
        if not there:
            self._connection.execute(sql.SQL("create table {} as table {}").format(table, fresh))
            return
        for column in there.keys() - wanted.keys():  # on_schema_change: sync_all_columns
            self._alter(table, "drop column {}", column)
        for column, kind in wanted.items():
            if column not in there:
                self._alter(table, f"add column {{}} {kind}", column)
            elif there[column] != kind:
                self._alter(table, f"alter column {{}} type {kind} using null", column)
        columns = sql.SQL(", ").join(map(sql.Identifier, wanted))
        parts = {"table": table, "fresh": fresh, "columns": columns}
        self._connection.execute(
            sql.SQL("delete from {table} where _record in (select _record from {fresh})").format(**parts)
        )
        self._connection.execute(
            sql.SQL("insert into {table} ({columns}) select {columns} from {fresh}").format(**parts)
        )

    def _alter(self, table: sql.Identifier, what: str, column: str) -> None:
        change = what.format(sql.Identifier(column).as_string(None))
        self._connection.execute(f"alter table {table.as_string(None)} {change}".encode())

    def _create(self, table: sql.Identifier, body: str) -> None:
        temporary = "temp" if table.as_string(None).startswith('"pg_temp"') else "unlogged"
        self._connection.execute(f"create {temporary} table {table.as_string(None)} as {body}".encode())

    def _columns(self, table: sql.Identifier) -> dict[str, str]:
        rows = self._connection.execute(
            "select attname, format_type(atttypid, null) from pg_attribute"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            (table.as_string(None),),
        )
        return dict(rows.fetchall())

    def _render(self, name: str, *, incremental: bool) -> str:
        variables = {
            "publish_id": self._publish.publish_id,
            "full_mapping": sorted(self._publish.full_mapping),
            "shadow": self._shadow,
        }
        return self._renderer.render(
            self._models[name],
            config=lambda **_: "",
            ref=lambda model: f'{self._schemas["mapped"]}."{model}"',
            source=lambda schema, table: f'{self._schemas[schema]}."{table}"',
            var=lambda variable, default=None: variables.get(variable, default),
            is_incremental=lambda: incremental,
            this=f'{self._schemas["mapped"]}."{name}"',
        )


def _attributes_ever(entity: str) -> list[str]:
    """Every attribute that a test may drop or retype, as accepted losses name them."""
    return [f"{entity}.{name}" for name in ("credit", "email", "note", "remark", "city")]


def suite_gate(project: Project) -> Gate:
    """Judges by the project's suites, of which it knows a few expectations: what Great Expectations says of them."""

    def gate(candidate: Candidate) -> Sequence[Failure]:
        suite = read_suite(candidate.entity, project.expectations)
        table = sql.Identifier(candidate.schema, candidate.table)
        return [
            Failure(
                each.label,
                each.reason,
                each.severity == "critical",
                _failing(each.type, each.kwargs, table, candidate.key),
            )
            for each in suite.expectations
            if each.severity != "info"
        ]

    return gate


def evaluate(url: str, schema: str, table: str, suite: Suite, index: str) -> list[Finding]:
    """What Great Expectations finds."""
    found = []
    with psycopg.connect(url) as connection:
        for position, each in enumerate(suite.expectations, start=1):
            rows = _failing(each.type, each.kwargs, sql.Identifier(schema, table), index)
            (count,) = connection.execute(sql.SQL("select count(*) from ({}) as f").format(rows)).fetchone()
            found.append(Finding(position, each, not count, count, {}, rows if count else None))
    return found


def _failing(kind: str, kwargs: Mapping[str, object], table: sql.Identifier, key: str) -> sql.Composed:
    column = sql.Identifier(str(kwargs["column"]))
    wrong = {
        "expect_column_values_to_be_null": sql.SQL("{} is not null").format(column),
        "expect_column_values_to_not_be_null": sql.SQL("{} is null").format(column),
        "expect_column_values_to_match_regex": sql.SQL("{} !~ {}").format(column, sql.Literal(kwargs.get("regex"))),
    }[kind]
    return sql.SQL("select {} from {} where {}").format(sql.Identifier(key), table, wrong)


__all__ = ["ACTOR", "SOURCES", "Firms", "Golden"]
