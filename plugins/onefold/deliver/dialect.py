"""How one kind of warehouse writes SQL: types, the one text of each value, and fingerprints of rows made of them.

PostgreSQL as the source and every target make the same text of the same value, so their fingerprints can be compared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

from onefold.deliver.table import BOOKKEEPING, Column, ColumnType, Table, View

DIGITS, DECIMALS = 38, 9
"""Of numeric: the widest that every target has. What needs more is refused."""
_VALUE, _NULL = 30, 31
"""Control characters that begin a value, and that stand for NULL, in the text of a row."""
_HASH_PARTS = ((1, 13), (14, 13), (27, 6))
"""Where the parts of an MD5 begin, and how many hexadecimal digits they have. They are summed apart from each other:
52 bits are what every target's integers hold, and leave room for a sum."""


class Dialect(ABC):
    """One kind of SQL. Statements are made of names and numbers that are known, never of values."""

    types: ClassVar[Mapping[ColumnType, str]]
    reported: ClassVar[Mapping[ColumnType, frozenset[str]]]
    """What information_schema calls these types."""
    row_bytes: ClassVar[int | None] = None
    """The longest text that it can make of a row, in bytes of UTF-8, where there is a limit that rows could reach."""
    unmerged: ClassVar[str] = ""
    """What ends a subquery whose expressions would else be computed each time that they are used."""

    def quote(self, name: str) -> str:
        """An identifier."""
        return '"' + name.replace('"', '""') + '"'

    def catalogued(self, name: str) -> str:
        """The name as information_schema has it."""
        return name

    def literal(self, text: str) -> str:
        """A text."""
        return "'" + text.replace("'", "''") + "'"

    def table(self, name: str, schema: str = BOOKKEEPING) -> str:
        """A table or view of a schema; without it one of Onefold's own."""
        return f"{self.quote(schema)}.{self.quote(name)}"

    def columns_of(self, stored: str) -> str:
        """The query of the names and types of a stored table's columns; of none where there is no such table."""
        return (
            "select column_name, data_type from information_schema.columns where table_schema ="
            f" {self.literal(self.catalogued(BOOKKEEPING))} and table_name = {self.literal(self.catalogued(stored))}"
        )

    @abstractmethod
    def text_of(self, column: str, kind: ColumnType) -> str:
        """The one text of a value, the same in every dialect: numbers with nine decimals, UTC, ISO 8601."""

    def from_text(self, text: str, kind: ColumnType) -> str:
        """The value of such a text."""
        return f"cast({text} as {self.types[kind]})"

    def in_byte_order(self, text: str) -> str:
        """What to order by, so that texts come in the order of their bytes."""
        return text

    def character(self, code: int) -> str:
        """The character with this code."""
        return f"chr({code})"

    def empty(self, table: str) -> str:
        """The statement that deletes every row of a table, which may be used anew at once, within a transaction."""
        return f"delete from {table} where true"

    def indexes(self, table: Table) -> list[str]:
        """The statements that make a stored table's indexes, where there are any to make."""
        return []

    def statistics(self, table: Table) -> list[str]:
        """The statements that let the planner know a stored table that was filled, where it has to be told."""
        return []

    @abstractmethod
    def replace_view(self, view: View, query: str) -> list[str]:
        """The statements that make a view anew, and of a history the function that gives it as of one publish."""

    def comments(self, view: View) -> list[str]:
        """The statements that say what a view and its columns mean, where replace_view() does not."""
        name = self.table(view.name, view.schema)
        statements = [f"comment on view {name} is {self.literal(view.comment)}"] if view.comment else []
        return statements + [
            f"comment on column {name}.{self.quote(column)} is {self.literal(comment)}"
            for column, _, comment in view.columns
            if comment
        ]

    def drop_view(self, schema: str, view: str) -> list[str]:
        """The statements that drop a view, and the function of a history with it, where they are there."""
        return [f"drop view if exists {self.table(view, schema)} cascade"]

    @abstractmethod
    def number_of(self, hexadecimal: str) -> str:
        """The integer that a text of hexadecimal digits says."""

    def md5(self, text: str) -> str:
        """The MD5 of a text, as 32 hexadecimal digits."""
        return f"md5({text})"

    def content_hash(self, columns: Iterable[Column]) -> str:
        """MD5 of a row `v`: its columns, each as text."""
        value, null = self.character(_VALUE), self.character(_NULL)
        texts = [
            f"coalesce({value} || {self.text_of(f'v.{self.quote(each.name)}', each.type)}, {null})" for each in columns
        ]
        return self.md5(" || ".join(texts))

    def span_hash(self, table: Table) -> str:
        """MD5 of a stored row with its key; that of an entity includes its life span."""
        span = [Column("_from", "bigint"), Column("_until", "bigint")] if table.kind == "entity" else []
        return self.content_hash([Column("_key", "text"), *span, *table.columns])

    def changed_after(self, held: int) -> str:
        """The condition on a row `v` of an entity that it began or ended after this publish."""
        return f"(v.{self.quote('_from')} > {held} or v.{self.quote('_until')} > {held})"

    def checksum(self, table: Table, rows: str) -> str:
        """The query of the number of rows, and of the sums of each part of their fingerprints, of `rows`: a table or
        query `v`. Checksum.of() puts them together."""
        sums = [self.number_of(f"substr(f.h, {at}, {digits})") for at, digits in _HASH_PARTS]
        summed = ", ".join(f"coalesce(sum({each}), 0)" for each in sums)
        return f"select count(*), {summed} from (select {self.span_hash(table)} as h from {rows}{self.unmerged}) as f"


class PostgresDialect(Dialect):
    """PostgreSQL, as the source and as a target."""

    unmerged: ClassVar[str] = " offset 0"

    types: ClassVar[Mapping[ColumnType, str]] = {
        "text": "text",
        "integer": "bigint",
        "numeric": f"numeric({DIGITS}, {DECIMALS})",
        "boolean": "boolean",
        "date": "date",
        "timestamp": "timestamptz",
    }
    reported: ClassVar[Mapping[ColumnType, frozenset[str]]] = {
        "text": frozenset({"text"}),
        "integer": frozenset({"bigint"}),
        "numeric": frozenset({"numeric"}),
        "boolean": frozenset({"boolean"}),
        "date": frozenset({"date"}),
        "timestamp": frozenset({"timestamp with time zone"}),
    }

    def text_of(self, column: str, kind: ColumnType) -> str:
        match kind:
            case "text":
                return column
            case "numeric":
                return f"(trim_scale({column}) + {0:.{DECIMALS}f})::text"  # a decimal too many differs, and is refused
            case "date":
                return f"to_char({column}, 'YYYY-MM-DD')"
            case "timestamp":
                return f"to_char({column} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
            case _:
                return f"{column}::text"

    def from_text(self, text: str, kind: ColumnType) -> str:
        return f"({text} || '+00')::timestamptz" if kind == "timestamp" else super().from_text(text, kind)

    def in_byte_order(self, text: str) -> str:
        return f'{text} collate "C"'

    def number_of(self, hexadecimal: str) -> str:
        return f"('x' || lpad({hexadecimal}, 16, '0'))::bit(64)::bigint"

    def empty(self, table: str) -> str:
        return f"truncate {table}"  # what was deleted would stay, and be counted when the next statement is planned

    def indexes(self, table: Table) -> list[str]:
        on, name = self.table(table.stored), f"{table.stored[:40]}_by_"
        return [
            f"create unique index if not exists {self.quote(name + 'key')} on {on} (_key, _from)",
            f"create index if not exists {self.quote(name + 'from')} on {on} (_from)",
            f"create index if not exists {self.quote(name + 'until')} on {on} (_until) where _until is not null",
        ]

    def statistics(self, table: Table) -> list[str]:
        return [f"analyze {self.table(table.stored)}"]

    def replace_view(self, view: View, query: str) -> list[str]:
        """A view whose columns changed is made anew, and who could read it may read it again."""
        name = self.table(view.name, view.schema)
        statements = [_REPLACE.format(name=name, text=self.literal(name), query=self.literal(query))]
        if view.history:
            function = self.table(view.name.removesuffix("_history") + "_as_of", view.schema)
            statements.append(
                f"create or replace function {function}(publish bigint) returns setof {name} language sql stable as"
                f" $$ select * from {name}"
                " where from_publish <= publish and (to_publish is null or to_publish > publish) $$"
            )
        return statements


_REPLACE = """
do $do$
declare
    readers text[];
begin
    execute 'create or replace view {name} as ' || {query};
exception when invalid_table_definition then
    select array_agg(quote_ident(r.rolname)) into readers
    from pg_class as c cross join lateral aclexplode(c.relacl) as a join pg_roles as r on r.oid = a.grantee
    where c.oid = {text}::regclass and a.privilege_type = 'SELECT' and a.grantee <> c.relowner;
    drop view {name} cascade;
    execute 'create view {name} as ' || {query};
    if readers is not null then
        execute 'grant select on {name} to ' || array_to_string(readers, ', ');
    end if;
end $do$"""
