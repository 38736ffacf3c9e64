"""The table of a target as its database describes it, and a row of it as the contract has it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedIndex

from onefold.catalog.mistakes import did_you_mean
from onefold.connectors.outbound.contract import Current, Place, Value
from onefold.connectors.outbound.sql.values import from_column, to_column
from onefold.connectors.outbound.version import fields_version
from onefold.connectors.sql.dialects.dialect import Dialect
from onefold.errors import Fatal


@dataclass(frozen=True)
class TargetTable:
    """The columns that a place names. `reference_unique`: the database lets no two rows have one reference."""

    place: Place
    table: sa.TableClause
    dialect: Dialect
    zone: ZoneInfo
    reference_unique: bool

    def column(self, name: str) -> sa.ColumnClause[Any]:
        return self.table.c[name]

    def lacks(self, names: Iterable[str]) -> str | None:
        """The first of the names that is no column of the place; None when all are."""
        return next((name for name in names if name not in self.table.c), None)

    def equals(self, name: str, value: Value) -> sa.ColumnElement[bool]:
        """Whether the column has the value. Raises ValueError for a value that the column cannot have."""
        return self.column(name) == self.bound(name, value)

    def bound(self, name: str, value: Value) -> sa.BindParameter[Any]:
        """The value as a parameter of the column's type. Raises ValueError for one that the column cannot have."""
        column = self.column(name)
        return sa.literal(to_column(value, column.type, self.zone), column.type)

    def rows(self, condition: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
        """The rows that meet the condition."""
        return sa.select(*(self.dialect.selected(column) for column in self.table.c)).where(condition)

    def locked(self, condition: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
        """The rows that meet the condition, which nobody else changes before the transaction has ended."""
        return self.rows(condition).with_for_update()

    def current(self, row: Mapping[str, Any]) -> Current:
        """The row as it was read."""
        place = self.place
        read = {
            name: from_column(row[name], place.kind(name), self.column(name).type, self.zone)
            for name in (column.name for column in self.table.c)
        }
        reference = read[place.reference]
        fields = {name: read[name] for name in place.fields}
        version = str(read[place.version_field]) if place.version_field else fields_version(read)
        return Current(str(read[place.key]), None if reference is None else str(reference), fields, version)


def target_table(connection: sa.Connection, dialect: Dialect, place: Place) -> TargetTable:
    """What the database says of the place's table. Raises Fatal when the table or a column is not there."""
    schema, _, name = place.object.rpartition(".")
    try:
        with warnings.catch_warnings():  # a type that SQLAlchemy does not know is written as text
            warnings.filterwarnings("ignore", "Did not recognize type", sa.exc.SAWarning)
            inspector = sa.inspect(connection)
            found = {each["name"]: each["type"] for each in inspector.get_columns(name, schema=schema or None)}
            primary = inspector.get_pk_constraint(name, schema=schema or None)["constrained_columns"]
            indexes = inspector.get_indexes(name, schema=schema or None)
            constraints = inspector.get_unique_constraints(name, schema=schema or None)
    except sa.exc.NoSuchTableError:
        raise Fatal(
            f"{place.named}: there is no such table that the login may see. Compare `object` in "
            f"catalog/targets/{place.target}.yaml with the database (as schema.table where it is in another schema)."
        ) from None
    further = [place.version_field] if place.version_field else []
    wanted = list(dict.fromkeys([place.key, place.reference, *place.fields, *further]))
    for missing in (column for column in wanted if column not in found):
        raise Fatal(
            f"{place.named} has no column {missing!r}; {did_you_mean(missing, found, 'columns there')}. "
            f"Compare catalog/targets/{place.target}.yaml with the database."
        )
    unique = [primary, *(each["column_names"] for each in constraints), *map(_whole_unique, indexes)]
    columns = [sa.column(column, dialect.plain(found[column])) for column in wanted]
    table = sa.table(name, *columns, schema=schema or None)
    zone = ZoneInfo(place.system.timezone)
    return TargetTable(place, table, dialect, zone, reference_unique=[place.reference] in unique)


def _whole_unique(index: ReflectedIndex) -> list[str | None]:
    """The columns of which the index lets no two rows have the same; none where it does not hold for all rows."""
    partial = (index.get("dialect_options") or {}).get("postgresql_where")
    whole = not partial or "IS NOT NULL" in str(partial).upper()
    return index["column_names"] if index["unique"] and whole else []
