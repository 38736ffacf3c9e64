"""The statements that make a target's views. They show what the one pointer row reaches, and nothing else."""

from __future__ import annotations

from onefold.deliver.dialect import Dialect
from onefold.deliver.table import View

SHOWN = "shown"
"""The view of Onefold's own that says which version of each table the pointer reaches."""


def view_query(dialect: Dialect, view: View) -> str:
    """The query of a view."""
    quote = dialect.quote
    columns, joins = [], []
    for at, (name, where, _) in enumerate(view.columns):
        if at == 1 and view.history:
            columns += [
                f"began.{quote('published_at')} as {quote('valid_from')}",
                f"ended.{quote('published_at')} as {quote('valid_to')}",
                f"v.{quote('_from')} as {quote('from_publish')}",
                f"ended.{quote('publish_id')} as {quote('to_publish')}",
            ]
        alias, _, column = where.partition(".")
        column = column or view.renamed.get(name, name)
        columns.append(f"{quote(alias)}.{quote(column)} as {quote(name)}")
    if view.history:
        publish = dialect.table("publish")
        key, until = quote("publish_id"), f"v.{quote('_until')}"
        joins = [
            f"left join {publish} as began on began.{key} = v.{quote('_from')}",
            f"left join {publish} as ended on ended.{key} = {until} and {until} <= s.{quote('version')}",
        ]
    for join in view.joins:
        alias, key = quote(join.alias), f"{quote(join.alias)}.{quote('_key')}"
        if join.on_row:
            joins.append(
                f"left join {dialect.table(join.stored)} as {alias} on {key} = v.{quote('_key')}"
                f" and {alias}.{quote('_from')} = v.{quote('_from')}"
            )
        elif view.history:
            since, until = f"{alias}.{quote('_from')}", f"{alias}.{quote('_until')}"
            joins.append(
                f"left join {dialect.table(join.stored)} as {alias} on {key} = v.{quote(join.on_column)}"
                f" and {since} <= v.{quote('_from')} and ({until} is null or {until} > v.{quote('_from')})"
            )
        else:
            joins.append(f"left join ({_living(dialect, join.stored)}) as {alias} on {key} = v.{quote(join.on_column)}")
    source = f"{dialect.table(view.of)} as v join {dialect.table(SHOWN)} as s on {_of(dialect, 's', view.of)}"
    past = f"v.{quote('_from')} <= s.{quote('version')}"
    condition = past if view.history else f"{past} and {_not_ended(dialect, 'v', 's')}"
    return f"select {', '.join(columns)} from {source} {' '.join(joins)} where {condition}"


def _living(dialect: Dialect, stored: str) -> str:
    """The rows of a stored table that are shown now."""
    since, version = f"c.{dialect.quote('_from')}", f"r.{dialect.quote('version')}"
    return (
        f"select c.* from {dialect.table(stored)} as c join {dialect.table(SHOWN)} as r on {_of(dialect, 'r', stored)}"
        f" where {since} <= {version} and {_not_ended(dialect, 'c', 'r')}"
    )


def _of(dialect: Dialect, alias: str, stored: str) -> str:
    return f"{alias}.{dialect.quote('table_name')} = {dialect.literal(stored)}"


def _not_ended(dialect: Dialect, row: str, shown: str) -> str:
    until = f"{row}.{dialect.quote('_until')}"
    return f"({until} is null or {until} > {shown}.{dialect.quote('version')})"
