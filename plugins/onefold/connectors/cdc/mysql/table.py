"""The table of a stream, as the database describes it now."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from onefold.catalog.stream import Stream
from onefold.connectors.cdc.mysql import values
from onefold.connectors.cdc.mysql.events import TableMap
from onefold.connectors.cdc.mysql.values import Decode, Read
from onefold.connectors.window_text import top_level
from onefold.errors import Fatal

_UNICODE = {"utf8": "utf-8", "utf8mb3": "utf-8", "utf8mb4": "utf-8", "ascii": "utf-8", "ucs2": "utf-16-be",
            "utf16": "utf-16-be", "utf16le": "utf-16-le", "utf32": "utf-32-be"}  # fmt: skip
_SPECIAL: Mapping[str, Decode] = {
    "uuid": values.uuid_text,
    "inet6": values.address_text,
    "inet4": values.short_address_text,
}
_KNOWN = frozenset(
    {
        *("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "bit", "year"),
        *("date", "datetime", "timestamp", "time", "enum", "set", "uuid", "inet6", "inet4"),
        *("char", "varchar", "tinytext", "text", "mediumtext", "longtext"),
        *("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"),
        *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
        *("geometrycollection", "geomcollection"),
    }
)
"""Types of columns whose values can be read in the log. MariaDB's JSON is a longtext; MySQL's has a form of its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a stream reads. `described` is all that says which values it may have, and how they are written.

    `charset` is None of what is no text; `longest` are the bytes of its longest character.
    """

    name: str
    kind: str
    described: str
    charset: str | None
    longest: int

    @property
    def unsigned(self) -> bool:
        return "unsigned" in self.described.lower()

    @property
    def unreadable(self) -> str | None:
        """Why its values cannot be read in the log; None: they can."""
        if self.kind not in _KNOWN or "compressed" in self.described.lower():
            return f"values of the type {self.kind} cannot be read in the log"
        if self.charset is not None and self.longest > 1 and self.charset not in _UNICODE:
            return f"texts in {self.charset} cannot be read in the log"
        return None


@dataclass(frozen=True, slots=True)
class LogTable:
    """A table as the log calls it, with the columns that the stream reads, in their order."""

    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def quoted(self) -> str:
        return ".".join("`" + each.replace("`", "``") + "`" for each in (self.schema, self.name))

    @property
    def described(self) -> dict[str, str]:
        """What Checkpoint.columns keeps."""
        return {column.name: column.described for column in self.columns}


def table_of(connection: sa.Connection, stream: Stream) -> LogTable | None:
    """The stream's table; None where the login may see none of that name."""
    schema, _, name = (stream.request.table or "").rpartition(".")
    found = connection.execute(
        sa.text(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema = coalesce(:schema, database()) and table_name = :name"
            " order by table_name = binary :name desc"
        ),
        {"schema": schema or None, "name": name},
    ).first()
    if found is None:
        return None
    rows = connection.execute(
        sa.text(
            """
            select c.column_name, lower(c.data_type), concat_ws(' ', c.column_type, c.collation_name, if(c.is_nullable
                   = 'NO', 'not null', null), nullif(c.generation_expression, '')), c.character_set_name,
                   coalesce(s.maxlen, 0)
            from information_schema.columns c left join information_schema.character_sets s
                on s.character_set_name = c.character_set_name
            where c.table_schema = :schema and c.table_name = :name
            """
        ),
        {"schema": found[0], "name": found[1]},
    )
    columns = {row[0]: Column(row[0], row[1], row[2], row[3], int(row[4])) for row in rows}
    return LogTable(found[0], found[1], tuple(columns[name] for name in top_level(stream) if name in columns))


def decoders(connection: sa.Connection, table: LogTable) -> dict[str, Decode]:
    """What makes the columns' values of the bytes of strings, by column. Texts are what the server itself would make of
    them: of a character set of 256 characters it is asked for all of them."""
    texts: dict[str, Decode] = {}
    for charset in {column.charset for column in table.columns if column.charset}:
        if codec := _UNICODE.get(charset):
            texts[charset] = _unicode(codec)
        elif re.fullmatch(r"\w+", charset):
            every = bytes(range(256)).hex()
            statement = f"select convert(_{charset} x'{every}' using utf8mb4)"
            texts[charset] = _characters(str(connection.exec_driver_sql(statement).scalar_one()))
    return {
        column.name: texts[column.charset] if column.charset else _SPECIAL.get(column.kind, bytes)
        for column in table.columns
    }


def _unicode(codec: str) -> Decode:
    return lambda value: value.decode(codec, "replace")


def _characters(every: str) -> Decode:
    table = dict(enumerate(every))
    return lambda value: value.decode("latin-1").translate(table)


@dataclass(frozen=True, slots=True)
class _Place:
    """One column of the log's row: `read` (None: it is of no interest) and where its value goes; else how to pass it
    over (values.size_of)."""

    read: Read | None
    to: int
    size: int
    prefix: int


class RowReader:
    """Reads row images of the table, as the log describes it there. Values are in the order of `columns`.

    `keys` are the places there of what tells a row from others.
    """

    def __init__(
        self, described: TableMap, table: LogTable, decode: Mapping[str, Decode], keys: Collection[int], named: str
    ) -> None:
        places = {name: place for place, name in enumerate(described.names)}
        lacking = [column.name for column in table.columns if column.name not in places]
        if lacking or len(described.names) != len(described.kinds):
            raise Fatal(
                f"{named}: the log does not name the columns {', '.join(lacking)} of {table.name}: set "
                "binlog_row_metadata to FULL at the source, and load the stream anew."
            )
        wanted = {places[column.name]: to for to, column in enumerate(table.columns)}
        members = _members(described)
        self.width = len(described.kinds)
        self._wanted = sum(1 << place for place in wanted)
        self._empty: list[object] = [None] * len(table.columns)
        self._columns: list[_Place] = []
        for place, (kind, meta) in enumerate(zip(described.kinds, described.metas, strict=True)):
            to = wanted.get(place, -1)
            column = table.columns[to] if to >= 0 else None
            made: Decode = bytes
            if column is not None:
                made = values.padded(meta) if column.kind == "binary" else decode[column.name]
            unsigned = column is not None and column.unsigned
            read = values.reader(kind, meta, made, unsigned=unsigned, members=members.get(place, ()))
            if read is None:
                raise Fatal(
                    f"{named}: the log has a column of {table.name}, {described.names[place]}, of a type that is not "
                    f"known here ({kind}). ALTER TABLE {table.quoted} FORCE; writes old types in today's form. If that "
                    "does not help, report it."
                )
            self._columns.append(_Place(read if to >= 0 else None, to, *values.size_of(kind, meta)))
        self._keys = [each if each.to in keys else replace(each, read=None) for each in self._columns]

    def has(self, present: int) -> bool:
        """Whether an image with these columns (bits) has all that are wanted."""
        return present & self._wanted == self._wanted

    def read(
        self, data: bytes, at: int, present: int, otherwise: Sequence[object] | None = None, *, key: bool = False
    ) -> tuple[list[object], int]:
        """The values of the image that begins there (`key`: only the key's), and where it ends. What it leaves out is
        as in `otherwise`."""
        row = list(otherwise or self._empty)
        columns = self._keys if key else self._columns
        count = present.bit_count()
        if count < self.width:
            columns = [each for place, each in enumerate(columns) if present >> place & 1]
        end = at + (count + 7) // 8
        nulls, at = int.from_bytes(data[at:end], "little"), end
        for column in columns:
            if nulls & 1:
                if column.read is not None:
                    row[column.to] = None
            elif column.read is not None:
                row[column.to], at = column.read(data, at)
            elif column.prefix:
                begin = at + column.prefix
                at = begin + int.from_bytes(data[at:begin], "little")
            else:
                at += column.size
            nulls >>= 1
        return row, at


def _members(described: TableMap) -> dict[int, tuple[bytes, ...]]:
    """The members of each ENUM and SET, by the column's place."""
    enums, sets = iter(described.enums), iter(described.sets)

    def found() -> Iterator[tuple[int, tuple[bytes, ...]]]:
        for place, kind in enumerate(described.kinds):
            if kind == values.ENUM:
                yield place, next(enums, ())
            elif kind == values.SET:
                yield place, next(sets, ())

    return dict(found())
