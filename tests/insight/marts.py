"""The marts' views without dbt, which takes seconds to say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import jinja2
import psycopg
from psycopg import sql

from onefold.catalog.reader import read_catalog
from onefold.mapping.properties import RECORD_COLUMNS
from onefold.settings import ROOT

MODELS = ROOT / "dbt_project" / "models" / "marts"
MACROS = "".join(
    (ROOT / "dbt_project" / "macros" / f"{name}.sql").read_text("utf-8") for name in ("sum_in_pln", "unless_person")
)
"""Those that marts call."""


def make_marts(owner: psycopg.Connection) -> None:
    """Make the views of all marts, each after those that it reads."""
    for name in _in_order():
        text = MACROS + (MODELS / f"{name}.sql").read_text("utf-8")
        query = jinja2.Template(text).render(
            source=lambda schema, table: f'{schema}."{table}"', ref=lambda model: _made(owner, model)
        )
        owner.execute(f"create view marts.{name} as {query}".encode())


def _made(owner: psycopg.Connection, model: str) -> str:
    """A mart; or a mapped model, whose table dbt would have made."""
    if (MODELS / f"{model}.sql").exists():
        return f"marts.{model}"
    attributes = read_catalog().entities[model.partition("__")[2]].attributes
    columns = {name: kind for name, kind, _ in RECORD_COLUMNS} | {name: each.type for name, each in attributes.items()}
    typed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()
    )
    owner.execute(sql.SQL("create table if not exists mapped.{} ({})").format(sql.Identifier(model), typed))
    return f"mapped.{model}"


def _in_order() -> Iterator[str]:
    reads = {
        file.stem: set(re.findall(r"ref\('(\w+)'\)", file.read_text("utf-8"))) for file in sorted(MODELS.glob("*.sql"))
    }
    while reads:
        ready = [name for name, others in reads.items() if not others & reads.keys()]
        assert ready, f"marts read each other in a circle: {reads}"
        for name in ready:
            del reads[name]
            yield name
