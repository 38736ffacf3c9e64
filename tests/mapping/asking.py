"""Asks the real PostgreSQL what a transform makes of many values, in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from onefold.mapping.sql import transform_sql


def transformed(
    connection: psycopg.Connection,
    transform: str,
    rows: Sequence[Sequence[str | None]],
    codes: Mapping[str, str] | None = None,
    countries: Sequence[str | None] | None = None,
) -> list[object]:
    """What the transform gives for each row of arguments, in their order; `countries` are those of the records."""
    names = [f"argument_{place}" for place in range(len(rows[0]))]
    country = "argument_country" if countries is not None else None
    expression = transform_sql(transform, *names, codes=codes, country=country)
    if country:
        names.append(country)
        rows = [(*row, each) for row, each in zip(rows, countries or (), strict=True)]
    query = sql.SQL("select {} from unnest({}) with ordinality as given ({}, place) order by place").format(
        sql.SQL(expression),
        sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(names)),
        sql.SQL(", ").join(map(sql.Identifier, names)),
    )
    columns = [[row[place] for row in rows] for place in range(len(names))]
    return [value for (value,) in connection.execute(query, columns)]


def one(connection: psycopg.Connection, transform: str, *arguments: str | None) -> object:
    """What the transform gives for these arguments."""
    return transformed(connection, transform, [arguments])[0]
