"""Builds the project's dbt models by plain Jinja, without dbt's start-up time: what `dbt build` does with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.conform.publish_ledger import Publish
from onefold.settings import ROOT
from tests.conform.jinja import Renderer
from tests.conform.world import build_order

PROJECT = ROOT / "dbt_project"


def build(url: str, entities: Iterable[Entity], publish: Publish, models: Mapping[str, str] | None = None) -> None:
    """Build the mapped models and the candidates of the entities that the publish touches; `models`: the text of each
    by its name, where it is not the project's."""
    models = _models() if models is None else models
    with psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC") as connection:
        for entity in filter(publish.touches, entities):
            for system in entity.systems:
                _build_mapped(connection, models, f"{system}__{entity.entity}", publish)
            for name in (f"{entity.entity}{model}" for model in _resolved()):
                if name in models:
                    connection.execute(sql.SQL("drop table if exists mapped.{}").format(sql.Identifier(name)))
                    body = _render(models[name], name, publish, incremental=False)
                    connection.execute(f"create unlogged table mapped.{_quoted(name)} as {body}")


def _build_mapped(connection: psycopg.Connection, models: Mapping[str, str], name: str, publish: Publish) -> None:
    """An incremental model: its changed records are replaced, or all of it is made where its columns are others."""
    table = _quoted(name)
    (there,) = connection.execute("select to_regclass(%s)", (f"mapped.{table}",)).fetchone()
    connection.execute(f"create temp table fresh as {_render(models[name], name, publish, incremental=bool(there))}")
    if there and _columns(connection, f"mapped.{table}") == _columns(connection, "fresh"):
        connection.execute(f"delete from mapped.{table} where _record in (select _record from fresh)")  # noqa: S608 - our own names
        connection.execute(f"insert into mapped.{table} select * from fresh")  # noqa: S608 - our own names
    else:
        connection.execute(f"drop table if exists mapped.{table}")
        connection.execute(f"create table mapped.{table} as {_render(models[name], name, publish, incremental=False)}")
        connection.execute(f"create unique index on mapped.{table} (_record)")
    connection.execute("drop table fresh")


def _columns(connection: psycopg.Connection, table: str) -> Sequence[str]:
    described = connection.execute(f"select * from {table} limit 0").description  # noqa: S608 - our own names
    return [f"{column.name} {column.type_code}" for column in described]


@cache
def _resolved() -> list[str]:
    """What follows the entity's name in the models of resolution, each after those that it reads."""
    return [re.sub("^partner", "", model) for model in build_order()]


@cache
def _models() -> dict[str, str]:
    """The text of every model by its name."""
    folders = (PROJECT / "models" / folder for folder in ("mapped", "resolve", "conformed"))
    return {file.stem: file.read_text("utf-8") for folder in folders for file in folder.rglob("*.sql")}


@cache
def _renderer() -> Renderer:
    return Renderer(file for file in (PROJECT / "macros").rglob("*.sql") if file.stem != "generate_schema_name")


def _render(model: str, name: str, publish: Publish, *, incremental: bool) -> str:
    variables = {"publish_id": publish.publish_id, "full_mapping": publish.full_mapping, "shadow": ""}
    return _renderer().render(
        model,
        config=lambda **_: "",
        ref=lambda model: f"mapped.{_quoted(model)}",
        source=lambda schema, table: f"{schema}.{_quoted(table)}",
        var=lambda variable, default=None: variables.get(variable, default),
        is_incremental=lambda: incremental,
        this=f"mapped.{_quoted(name)}",
    )


def _quoted(name: str) -> str:
    return f'"{name}"'
