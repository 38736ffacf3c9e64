"""Erases what find_places() has found, in place: the row stays, with its ids and all that is not personal."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.privacy.personal_fields import Change
from onefold.privacy.places import Place
from onefold.privacy.tables import WarehouseTable


def erase_rows(connection: psycopg.Connection, places: Iterable[Place]) -> int:
    """Erase at these places, in the transaction in which they were found; returns how many rows that is."""
    rows = 0
    for place in places:
        if assignments := _assignments(place):
            connection.execute(
                sql.SQL("update only {} set {} where ctid = {}::tid").format(
                    place.table.identifier, sql.SQL(", ").join(assignments), sql.Literal(place.at)
                )
            )
            rows += 1
    return rows


def changes_json(changes: Iterable[Change]) -> Jsonb:
    """The changes as ops.erase_paths() takes them."""
    return Jsonb([[list(change.path), change.to] for change in changes])


def _assignments(place: Place) -> list[sql.Composable]:
    table = place.table
    parts: list[sql.Composable] = [
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Literal(value)) for column, value in place.columns.items()
    ]
    for column, changes in place.changes.items():
        parts.append(sql.SQL("{} = {}").format(sql.Identifier(column), _erased(table, column, changes_json(changes))))
    if parts and "_hash" in table.every_column:
        parts.append(sql.SQL("_hash = {}").format(_new_hash(place)))
    if place.own and (table.schema, table.name) == ("staging", "superseded"):
        parts.append(sql.SQL("gated = true"))  # there is nothing left that a suite could judge
    return parts


def _erased(table: WarehouseTable, column: str, changes: Jsonb) -> sql.Composable:
    name = sql.Identifier(column)
    if table.columns[column] == "bytea":
        body = sql.SQL("inbox.body_text({})::jsonb").format(name)
        return sql.SQL("convert_to(ops.erase_paths({}, {})::text, 'UTF8')").format(body, changes)
    if table.columns[column] == "text":
        return sql.SQL("ops.erase_paths({}::jsonb, {})::text").format(name, changes)
    return sql.SQL("ops.erase_paths({}, {})").format(name, changes)


def _new_hash(place: Place) -> sql.Composable:
    """The old fingerprint would prove what was there. The new one of a golden record only has to differ from it."""
    payload = place.table.payload
    if payload and payload in place.changes:
        return sql.SQL("ops.erased_hash({}, {})").format(
            sql.SQL("({})::jsonb").format(_erased(place.table, payload, changes_json(place.changes[payload]))),
            sql.SQL("_deleted" if "_deleted" in place.table.every_column else "false"),
        )
    if "_hash" in place.table.columns:
        return sql.SQL("md5(gen_random_uuid()::text)")
    return sql.SQL("decode(md5(gen_random_uuid()::text), 'hex')")
