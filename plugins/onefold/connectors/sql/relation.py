"""A table or view of a source: its columns as the database describes them, and its rows as JSON."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.sql.dialects.dialect import Dialect
from onefold.connectors.sql.values import Single, converter, zone_of
from onefold.connectors.window_text import top_level
from onefold.errors import Fatal

_ENCODE = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Relation:
    """The columns that a stream needs, by name, and which of them may be NULL; `zone` is of stamps without one.

    `unique`: the database itself sees to it that no two rows have the same primary key.
    """

    table: sa.TableClause
    nullable: frozenset[str]
    zone: ZoneInfo
    dialect: Dialect
    unique: bool = False

    def column(self, name: str) -> sa.ColumnClause[Any]:
        return self.table.c[name]

    def selection(self) -> list[sa.ColumnElement[Any]]:
        """The columns as they are selected, in the table's order."""
        return [self.dialect.selected(column) for column in self.table.c]

    def stamp(self, name: str, at: datetime, *, lowest: bool = False) -> datetime:
        """The instant as the column holds it; `lowest`: the least that it may hold at that instant or later.

        In the hour that comes twice in autumn, a clock without a zone shows less than it did before.
        """
        kind = self.column(name).type
        if _zoned(kind):
            return at
        local = at.astimezone(zone_of(kind, self.zone))
        before, after = local.utcoffset(), (at + _HOUR).astimezone(local.tzinfo).utcoffset()
        back = before is not None and after is not None and after < before
        return local.replace(tzinfo=None) - (_HOUR if lowest and back else timedelta(0))


def described(connection: sa.Connection, dialect: Dialect, system: System, stream: Stream, named: str) -> Relation:
    """What the database says of the stream's table. Raises Fatal when the table or a column is not there."""
    schema, _, name = (stream.request.table or "").rpartition(".")
    try:
        with warnings.catch_warnings():  # a type that SQLAlchemy does not know is read as the database writes it
            warnings.filterwarnings("ignore", "Did not recognize type", sa.exc.SAWarning)
            inspector = sa.inspect(connection)
            found = {each["name"]: each for each in inspector.get_columns(name, schema=schema or None)}
            constraint = inspector.get_pk_constraint(name, schema=schema or None)["constrained_columns"]
    except sa.exc.NoSuchTableError:
        raise Fatal(
            f"{named}: there is no table or view {stream.request.table!r} that the login may see. Compare "
            "request.table in the system's YAML with the database (as schema.table where it is in another schema)."
        ) from None
    wanted = top_level(stream)
    for missing in (column for column in wanted if column not in found):
        raise Fatal(
            f"{named}: {stream.request.table} has no column {missing!r}; "
            f"{did_you_mean(missing, found, 'columns there')}. If it was renamed, change the field's path in "
            f"catalog/systems/{system.system}.yaml."
        )
    keys = [stream.fields[field].path or field for field in stream.primary_key]
    for key in keys:
        kind = found[key]["type"]
        if is_single_precision(dialect, kind):
            raise Fatal(
                f"{named}: {key}, of the primary_key, is {kind} in the database. A number of single "
                "precision is not equal to itself once it has been written down, so no page could begin after it: "
                "offer it in a view as a decimal or as text. Nothing was read."
            )
    columns = [sa.column(column, dialect.plain(found[column]["type"])) for column in wanted]
    unique = bool(constraint) and set(constraint) <= set(keys)
    nullable = frozenset(column for column in wanted if found[column].get("nullable", True))
    table = sa.table(name, *columns, schema=schema or None)
    return Relation(table, nullable, ZoneInfo(system.timezone), dialect, unique)


def is_single_precision(dialect: Dialect, kind: sa.types.TypeEngine[Any]) -> bool:
    """Whether numbers of this type, as the database describes it, are of single precision."""
    return isinstance(kind, sa.REAL) or isinstance(dialect.plain(kind), Single)


class Rows:
    """Writes rows of a relation as JSON objects: the same data gives the same bytes, whatever the database.

    Numbers are exact, timestamps ISO 8601 in UTC, intervals ISO 8601, bytes base64 (connectors/sql/values.py).
    """

    def __init__(self, relation: Relation, stream: Stream) -> None:
        self._names = [column.name for column in relation.table.c]
        kinds = {(field.path or name): field.type for name, field in stream.fields.items()}
        converts = (converter(column, kinds.get(column.name), relation.zone) for column in relation.table.c)
        self._converts = [(place, convert) for place, convert in enumerate(converts) if convert]

    def json(self, row: Iterable[object]) -> bytes:
        """One row's object, keys in the order of the stream's fields."""
        values = list(row)
        for place, convert in self._converts:
            if values[place] is not None:
                values[place] = convert(values[place])
        return _ENCODE(dict(zip(self._names, values, strict=True)))


def _zoned(kind: sa.types.TypeEngine[Any]) -> bool:
    return bool(getattr(kind, "timezone", False))
