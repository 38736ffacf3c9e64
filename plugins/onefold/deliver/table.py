"""What is delivered: stored tables of rows with a life span, and the views by which analysts see them.

Every stored row has a key, the version from which it is shown, and the one from which it is shown no more: versions of
an entity are publishes, those of a mart are deliveries. The target's one pointer row says which version of each table
is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from psycopg import sql

ColumnType = Literal["text", "integer", "numeric", "boolean", "date", "timestamp"]
Kind = Literal["entity", "mart"]
BOOKKEEPING = "onefold"
"""The target's schema with the stored tables, the pointer and what it points to."""

TYPES: Mapping[str, ColumnType] = {
    "text": "text",
    "character varying": "text",
    "uuid": "text",
    "text[]": "text",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp with time zone": "timestamp",
    "timestamptz": "timestamp",
}
"""PostgreSQL's types that every target can hold exactly, and as what. A list is its texts, joined by a comma."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `source_type` is PostgreSQL's name of its type there."""

    name: str
    source_type: str
    comment: str = ""

    @property
    def type(self) -> ColumnType:
        return TYPES[self.source_type]


@dataclass(frozen=True, slots=True)
class Table:
    """A stored table. `query` gives its rows in PostgreSQL: of an entity _key, _from, _until and the columns, of a mart
    only the columns. `name` is what errors call it."""

    stored: str
    name: str
    kind: Kind
    columns: tuple[Column, ...]
    query: sql.Composable


_TIMES = (
    ("valid_from", "When this version began to be shown."),
    ("valid_to", "When another took its place; empty where none did."),
    ("from_publish", "The publish that began to show it."),
    ("to_publish", "The publish that shows it no more; empty where none is."),
)
"""The columns of a history besides the entity's, after its id."""


@dataclass(frozen=True, slots=True)
class View:
    """A view at the target: its columns are `expressions` over stored tables, in order, with their comments.

    `of` is the stored table `v`; `joins` have more. `times` adds the version's life span; `as_of` makes a function that
    gives the view's rows at one publish.
    """

    schema: str
    name: str
    of: str
    columns: tuple[tuple[str, str, str], ...]
    """Name, from which joined table (`v`, `p`, or the name of a join), and comment."""
    comment: str
    joins: tuple[Join, ...] = ()
    history: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Names of columns in the stored table where they differ."""

    @property
    def described(self) -> list[tuple[str, str]]:
        """Every column's name and comment, in the order in which the view shows them."""
        columns = [(name, comment) for name, _, comment in self.columns]
        return [columns[0], *_TIMES, *columns[1:]] if self.history else columns


@dataclass(frozen=True, slots=True)
class Join:
    """Another stored table: with `on_row` the same row of it, else the row whose key is in this column."""

    alias: str
    stored: str
    on_row: bool = False
    on_column: str = ""
