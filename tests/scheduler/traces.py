"""Where values stand in a running installation: texts with their places, and a search for any of many values in them.

Values are looked for as whole words, whatever the case of their letters, after the escapes of JSON and of addresses
have been undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from onefold.catalog.reader import read_systems
from onefold.privacy.personal_fields import leaves, places_of
from onefold.settings import ROOT

SHORTEST = 7
"""Characters of a personal value that is looked for: a shorter one is also a word, a count or a process's id."""
_WORD = re.compile(r"\w+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Haystack:
    """A text, and where it is from."""

    place: str
    text: str


@dataclass(frozen=True, order=True)
class Trace:
    """A value where none may be. `what` says which one it is, and is never the value itself."""

    place: str
    what: str


class Finder:
    """Finds any of many values in a text in one pass: by their first two words, then letter for letter."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """`values` with what each is."""
        self._by_words: dict[tuple[str, ...], dict[str, str]] = {}
        for value, what in values.items():
            folded = value.casefold()
            if words := list(_WORD.finditer(folded)):
                key = tuple(word[0] for word in words[:2])
                self._by_words.setdefault(key, {})[folded[words[0].start() :]] = what

    def traces(self, haystacks: Iterable[Haystack]) -> list[Trace]:
        """Which values stand where."""
        return sorted({Trace(haystack.place, what) for haystack in haystacks for what in self._in(haystack.text)})

    def _in(self, text: str) -> Iterator[str]:
        plain = unquote(_ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)).casefold()
        before: tuple[str, int] | None = None
        for word in _WORD.finditer(plain):
            starts = [((word[0],), word.start())]
            if before:
                starts.append(((before[0], word[0]), before[1]))
            for key, start in starts:
                for value, what in self._by_words.get(key, {}).items():
                    if plain.startswith(value, start) and not _WORD.match(plain, start + len(value)):
                        yield what
            before = word[0], word.start()


def personal_values(warehouse: psycopg.Connection) -> Mapping[str, str]:
    """Every value of a field that the catalogue calls personal, in what was loaded and what was refused, with the
    field's name; and the full names of people. Left out: what is too short, and what words of our own make up."""
    found: dict[str, str] = {}
    for name, system in read_systems().items():
        for stream_name, stream in system.streams.items():
            places = [
                (places_of(field_name, field)[0], f"{name}.{stream_name}.{field_name}")
                for field_name, field in stream.fields.items()
                if field.personal != "none" and field_name not in stream.primary_key
            ]
            for payload in _payloads(warehouse, name, stream_name):
                values = [
                    (str(value).strip(), what)
                    for path, value in leaves(payload)
                    for place, what in places
                    if len(path) >= len(place) and all(p in ("*", step) for p, step in zip(place, path, strict=False))
                ]
                found |= dict(values)
                names = [value for value, what in values if re.search("name$|imie|nazwisko", what, re.IGNORECASE)]
                found |= {" ".join(names[:2]): f"{name}.{stream_name}: a full name"}
    ours = _words_of_ours()
    return {
        value: what
        for value, what in found.items()
        if len(value) >= SHORTEST and not set(_WORD.findall(value.casefold())) <= ours
    }


def _payloads(warehouse: psycopg.Connection, system: str, stream: str) -> Iterator[object]:
    query = sql.SQL(
        "select _payload from {} where not _deleted union all"
        " select payload from ops.quarantine where system = %s and stream = %s and payload is not null"
    ).format(sql.Identifier("staging", f"{system}__{stream}"))
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        for (payload,) in cursor.execute(query, [system, stream]):
            yield payload


@lru_cache(maxsize=1)
def _words_of_ours() -> frozenset[str]:
    """The words of the engine and its catalogue: a value that they make up tells nothing of anybody."""
    folders = ("plugins", "catalog", "expectations", "dags", "dbt_project")
    files = (f for folder in folders for f in (ROOT / folder).rglob("*") if f.suffix in (".py", ".yaml", ".sql"))
    return frozenset(word for file in files for word in _WORD.findall(file.read_text().casefold()))


def readable_by(role: str, schemas: Sequence[str], connection: psycopg.Connection) -> Iterator[Haystack]:
    """Every row of every table and view of these schemas, as far as the role may read its columns."""
    query = """
        select n.nspname, c.relname, array_agg(a.attname order by a.attnum)
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid
        where c.relkind in ('r', 'v', 'm', 'p') and n.nspname = any(%(schemas)s)
            and a.attnum > 0 and not a.attisdropped and has_schema_privilege(%(role)s, n.oid, 'usage')
            and has_column_privilege(%(role)s, c.oid, a.attnum, 'select')
        group by 1, 2"""
    with connection.cursor(row_factory=tuple_row) as cursor:
        for schema, table, columns in cursor.execute(query, {"role": role, "schemas": list(schemas)}).fetchall():
            select = sql.SQL("select string_agg(t::text, E'\\n') from (select {} from {}) as t").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, table)
            )
            cursor.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            try:
                (text,) = cursor.execute(select).fetchone() or (None,)
            finally:
                cursor.execute("reset role")
            yield Haystack(f"{schema}.{table}", text or "")


def rows_of(connection: psycopg.Connection, but: frozenset[str] = frozenset()) -> Iterator[Haystack]:
    """Every row of every table of a database, but of these schemas and tables."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        tables = cursor.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            if schema not in but and f"{schema}.{table}" not in but:
                query = sql.SQL("select string_agg(t::text, E'\\n') from {} as t").format(sql.Identifier(schema, table))
                (text,) = cursor.execute(query).fetchone() or (None,)
                yield Haystack(f"table {schema}.{table}", text or "")
