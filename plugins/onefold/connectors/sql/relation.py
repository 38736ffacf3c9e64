"""A table or view of a source: its columns as the database describes them, and its rows as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.window_text import top_level
from onefold.errors import Fatal

Convert = Callable[[object], object]
_ENCODE = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Relation:
    """The columns that a stream needs, by name, and which of them may be NULL; `zone` is of stamps without one."""

    table: sa.TableClause
    nullable: frozenset[str]
    zone: ZoneInfo

    def column(self, name: str) -> sa.ColumnClause[Any]:
        return self.table.c[name]

    def stamp(self, name: str, at: datetime, *, lowest: bool = False) -> datetime:
        """The instant as the column holds it; `lowest`: the least that it may hold at that instant or later.

        In the hour that comes twice in autumn, a clock without a zone shows less than it did before.
        """
        kind = self.column(name).type
        if _zoned(kind):
            return at
        local = at.astimezone(_zone(kind, self.zone))
        before, after = local.utcoffset(), (at + _HOUR).astimezone(local.tzinfo).utcoffset()
        back = before is not None and after is not None and after < before
        return local.replace(tzinfo=None) - (_HOUR if lowest and back else timedelta(0))


def described(connection: sa.Connection, system: System, stream: Stream, named: str) -> Relation:
    """What the database says of the stream's table. Raises Fatal when the table or a column is not there."""
    schema, _, name = (stream.request.table or "").rpartition(".")
    try:
        found = {each["name"]: each for each in sa.inspect(connection).get_columns(name, schema=schema or None)}
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
    columns = [sa.column(column, _plain(found[column]["type"])) for column in wanted]
    nullable = frozenset(column for column in wanted if found[column].get("nullable", True))
    return Relation(sa.table(name, *columns, schema=schema or None), nullable, ZoneInfo(system.timezone))


class Rows:
    """Writes rows of a relation as JSON objects: the same data gives the same bytes, whatever the database.

    Numbers are exact, timestamps ISO 8601 in UTC, bytes base64.
    """

    def __init__(self, relation: Relation, stream: Stream) -> None:
        self._names = [column.name for column in relation.table.c]
        kinds = {(field.path or name): field.type for name, field in stream.fields.items()}
        converts = (_convert(column, kinds.get(column.name), relation.zone) for column in relation.table.c)
        self._converts = [(place, convert) for place, convert in enumerate(converts) if convert]

    def json(self, row: Iterable[object]) -> bytes:
        """One row's object, keys in the order of the stream's fields."""
        values = list(row)
        for place, convert in self._converts:
            if values[place] is not None:
                values[place] = convert(values[place])
        return _ENCODE(dict(zip(self._names, values, strict=True)))


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """As reflected; but MySQL's doubles would come as decimals, rounded."""
    return sa.Float() if isinstance(kind, sa.Float) else kind


def _zoned(kind: sa.types.TypeEngine[Any]) -> bool:
    return bool(getattr(kind, "timezone", False))


def _zone(kind: sa.types.TypeEngine[Any], zone: ZoneInfo) -> ZoneInfo:
    """MySQL's TIMESTAMP is kept in UTC and shown in the session's zone, which is UTC; its DATETIME is as it was put."""
    return ZoneInfo("UTC") if isinstance(kind, mysql.TIMESTAMP) else zone


def _convert(column: sa.ColumnClause[Any], field_type: str | None, zone: ZoneInfo) -> Convert | None:
    kind = column.type
    if isinstance(kind, sa.DateTime):
        zone = _zone(kind, zone)
        return lambda value: _instant(value, zone)
    if field_type == "boolean" and not isinstance(kind, sa.Boolean):
        return _truth
    if field_type == "json":
        return _document
    if isinstance(kind, sa.CHAR):
        return lambda value: value.rstrip(" ") if isinstance(value, str) else value
    if isinstance(kind, sa.Numeric):
        return lambda value: str(value) if isinstance(value, Decimal) and not value.is_finite() else value
    return None


def _instant(value: object, zone: ZoneInfo) -> object:
    """In UTC; what is no time at all (MySQL's 0000-00-00) stays as it is, for the gate to see."""
    if not isinstance(value, datetime):
        return value
    at = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
    return at.isoformat(timespec="microseconds" if at.microsecond % 1000 else "milliseconds") + "Z"


def _truth(value: object) -> object:
    """MySQL's BOOLEAN is a small number, its BIT(1) a byte."""
    number = int.from_bytes(value, "big") if isinstance(value, bytes) else value
    return bool(number) if number in (0, 1) else number


def _document(value: object) -> object:
    """MariaDB keeps JSON as text."""
    try:
        return read_json(value) if isinstance(value, str) else value
    except ValueError:
        return value


def read_json(text: str | bytes) -> object:
    """A JSON document whose numbers stay exact."""
    return json.loads(text, parse_float=Decimal)
