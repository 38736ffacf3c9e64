"""The tables and views that a target has: of the entities from the catalogue, of the marts from PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.catalog.entity import Entity
from onefold.deliver.table import TYPES, Column, Join, Table, View
from onefold.errors import Fatal
from onefold.mapping.golden import personal_attributes

_COUNTS = (
    ("source_of_truth", "text", "The system that is trusted most among those that gave the record."),
    ("systems", "text", "The systems that the record was joined from, separated by a comma."),
    ("record_count", "integer", "How many records of systems it was joined from."),
)
_TIMES = ("valid_from", "valid_to", "from_publish", "to_publish")
"""Columns that a history has of its own: an attribute of that name has the entity's before it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All that a target has. `fingerprint` differs where a view or its columns do."""

    tables: tuple[Table, ...]
    views: tuple[View, ...]

    @property
    def fingerprint(self) -> str:
        return hashlib.md5(repr(self.views).encode(), usedforsecurity=False).hexdigest()


def layout_of(connection: psycopg.Connection, target: DeliveryTarget, entities: Mapping[str, Entity]) -> Layout:
    """What the target has now. Raises Fatal where a mart is not there, or has a column of another type."""
    chosen = {name: each for name, each in entities.items() if target.delivers(name)}
    tables: list[Table] = []
    views: list[View] = []
    for entity in chosen.values():
        hidden = [*personal_attributes(entity), *entity.party_of]
        shown = [name for name in entity.attributes if name not in personal_attributes(entity)]
        tables.append(_versions(entity, f"entity__{entity.entity}", shown, masked=True))
        views += _views(entity, "conformed", shown, ())
        if entity.entity in target.personal and hidden:
            tables.append(_versions(entity, f"personal__{entity.entity}", list(dict.fromkeys(hidden)), masked=False))
            views += _views(entity, "conformed_personal", list(entity.attributes), tuple(hidden))
    for name in sorted({*chosen, *(other for each in chosen.values() for other in each.referenced.values())}):
        tables.append(_crosswalk(name))
        if name in chosen:
            views.append(_crosswalk_view(name))
    for table, view in _marts(connection, target):
        tables.append(table)
        views.append(view)
    return Layout(tuple(tables), tuple(views))


def _versions(entity: Entity, stored: str, attributes: Sequence[str], *, masked: bool) -> Table:
    """A table of the entity's versions with these attributes; `masked`: without what is said of natural persons."""
    id_column = f"{entity.entity}_id"
    selected: list[sql.Composable] = [sql.SQL("v.{0}::text as {0}").format(sql.Identifier(id_column))]
    for name in attributes:
        value: sql.Composable = sql.SQL("v.{}").format(sql.Identifier(name))
        party = entity.party_of.get(name)
        if masked and party:
            at = sql.Identifier(f"party_{entity.parties.index(party)}")
            value = sql.SQL("case when not {}.is_natural_person then {} end").format(at, value)
        selected.append(sql.SQL("{} as {}").format(value, sql.Identifier(name)))
    columns = [Column(id_column, "text"), *(Column(name, entity.attributes[name].type) for name in attributes)]
    if masked:
        selected += [
            sql.SQL("v.source_of_truth"),
            sql.SQL("array_to_string(v._systems, ', ') as systems"),
            sql.SQL("v._records as record_count"),
        ]
        columns += [Column(name, kind) for name, kind, _ in _COUNTS]
    laterals = [
        sql.SQL(
            "cross join lateral (select conformed.is_natural_person(v.{}, {}) offset 0) as {} (is_natural_person)"
        ).format(
            sql.Identifier(party.name),
            sql.SQL("v.{}").format(sql.Identifier(party.court_number)) if party.court_number else sql.SQL("null"),
            sql.Identifier(f"party_{at}"),
        )
        for at, party in enumerate(entity.parties)
        if masked
    ]
    query = sql.SQL(
        "select v.{id}::text as _key, v._publish_id as _from, v._ended_publish_id as _until, {columns}"
        " from conformed.{version} as v {laterals}"
    ).format(
        id=sql.Identifier(id_column),
        columns=sql.SQL(", ").join(selected),
        version=sql.Identifier(f"{entity.entity}_version"),
        laterals=sql.SQL(" ").join(laterals),
    )
    schema = "conformed" if masked else "conformed_personal"
    return Table(stored, f"{schema}.{entity.entity}", "entity", tuple(columns), query)


def _crosswalk(name: str) -> Table:
    query = sql.SQL(
        "select record as _key, _publish_id as _from, _ended_publish_id as _until, system, stream, key,"
        " {id}::text as {id} from conformed.{crosswalk}"
    ).format(id=sql.Identifier(f"{name}_id"), crosswalk=sql.Identifier(f"{name}_crosswalk_version"))
    columns = tuple(Column(each, "text") for each in ("system", "stream", "key", f"{name}_id"))
    return Table(f"crosswalk__{name}", f"conformed.{name}_crosswalk", "entity", columns, query)


def _crosswalk_view(name: str) -> View:
    columns = (
        ("system", "v", "The system that the record is of."),
        ("stream", "v", "The stream that the record is of."),
        ("key", "v", "The record's primary key there."),
        ("record", "v", "System, stream and key as one text."),
        (f"{name}_id", "v", f"The {name} that the record is part of."),
    )
    comment = f"Which records of which systems each {name} is joined from."
    return View("conformed", f"{name}_crosswalk", f"crosswalk__{name}", columns, comment, renamed={"record": "_key"})


def _views(entity: Entity, schema: str, attributes: Sequence[str], hidden: Sequence[str]) -> Iterator[View]:
    """The entity's view and its history; `hidden` are the attributes that come from the table of personal columns."""
    joins = [Join("p", f"personal__{entity.entity}", on_row=True)] if hidden else []
    columns = [(f"{entity.entity}_id", "v", f"The {entity.entity}'s own id, which stays the same.")]
    for name in attributes:
        spec = entity.attributes[name]
        columns.append((name, "p" if name in hidden else "v", spec.meaning))
        if other := entity.referenced.get(name):
            alias = f"{name.removesuffix('_record')}_id"
            joins.append(Join(alias, f"crosswalk__{other}", on_column=name))
            columns.append((alias, f"{alias}.{other}_id", f"The {other} whose record {name} names."))
    columns += [(name, "v", comment) for name, _, comment in _COUNTS]
    stored = f"entity__{entity.entity}"
    shown = f"{entity.title}: the golden records that are published now."
    yield View(schema, entity.entity, stored, tuple(columns), shown, tuple(joins))
    past = tuple(
        (f"{entity.entity}_{name}" if name in _TIMES else name, where, comment) for name, where, comment in columns
    )
    renamed = {f"{entity.entity}_{name}": name for name in _TIMES if name in entity.attributes}
    every = f"{entity.title}: every version that was shown, and from when to when."
    yield View(schema, f"{entity.entity}_history", stored, past, every, tuple(joins), history=True, renamed=renamed)


def _marts(connection: psycopg.Connection, target: DeliveryTarget) -> Iterator[tuple[Table, View]]:
    rows = connection.execute(
        """
        select c.relname, coalesce(obj_description(c.oid, 'pg_class'), ''),
            array_agg(a.attname::text order by a.attnum), array_agg(format_type(a.atttypid, null) order by a.attnum),
            array_agg(coalesce(col_description(c.oid, a.attnum), '') order by a.attnum)
        from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = to_regnamespace('marts') and c.relkind in ('v', 'm', 'r')
        group by c.oid, c.relname order by c.relname
        """
    ).fetchall()
    there = [row[0] for row in rows]
    wanted = [] if target.marts == "none" else there if target.marts == "all" else target.marts
    if missing := sorted(set(wanted) - set(there)):
        raise Fatal(
            f"{target.warehouse}: there is no mart {', '.join(missing)}. Nothing was delivered. The marts are "
            f"{', '.join(there) or 'not built yet: run conform'}; correct catalog/warehouses/{target.warehouse}.yaml."
        )
    for name, comment, names, types, comments in rows:
        if name not in wanted:
            continue
        if unknown := [f"{column} ({kind})" for column, kind in zip(names, types, strict=True) if kind not in TYPES]:
            raise Fatal(
                f"{target.warehouse}: marts.{name} has columns of types that targets cannot hold: "
                f"{', '.join(unknown)}. Nothing was delivered. Cast them to text or numeric in the mart, or leave it "
                f"out under marts in catalog/warehouses/{target.warehouse}.yaml."
            )
        columns = tuple(Column(column, kind) for column, kind in zip(names, types, strict=True))
        query = sql.SQL("select {} from marts.{}").format(
            sql.SQL(", ").join(map(_plain, columns)), sql.Identifier(name)
        )
        table = Table(f"mart__{name}", f"marts.{name}", "mart", columns, query)
        shown = tuple((column, "v", said) for column, said in zip(names, comments, strict=True))
        yield table, View("marts", name, f"mart__{name}", shown, comment)


def _plain(column: Column) -> sql.Composable:
    """A mart's column in one of the types that are compared."""
    form = {"uuid": "{0}::text as {0}", "text[]": "array_to_string({0}, ', ') as {0}"}.get(column.source_type, "{0}")
    return sql.SQL(form).format(sql.Identifier(column.name))
