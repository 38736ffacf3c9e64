"""Which golden attributes the columns of the marts are made of, as the marts stand in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from onefold.insight.node_tree import parsed_query
from onefold.insight.view_lineage import StoredColumn, view_lineage


@dataclass(frozen=True, slots=True, order=True)
class Column:
    """A column of a table or view of the warehouse, as conformed.invoice and net_amount."""

    relation: str
    name: str


@dataclass(frozen=True, slots=True)
class MartLineage:
    """As ViewLineage, of a mart: `values` and `conditions` by its columns, and what decides its `rows`."""

    values: Mapping[str, tuple[Column, ...]]
    conditions: Mapping[str, tuple[Column, ...]]
    rows: tuple[Column, ...]


_VIEWS = """
    select c.relname, w.ev_action::text
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_rewrite w on w.ev_class = c.oid
    where n.nspname = 'marts' and c.relkind = 'v' and w.rulename = '_RETURN' order by 1
    """
_NAMES = """
    select c.oid::bigint, n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = any (%s)
    union all
    select p.oid::bigint, null from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'conformed' and p.proname in ('is_natural_person', 'may_read_people')
    """


def mart_lineage(connection: psycopg.Connection) -> dict[str, MartLineage]:
    """Of every mart that is built, by name. One that the dbt project has and the warehouse has not is built by the next
    publish. Two queries, whatever the number of marts."""
    queries = {str(name): parsed_query(rule) for name, rule in connection.execute(_VIEWS)}
    entries = (each for query in queries.values() for each in query.descendants() if each.kind == "RANGETBLENTRY")
    relations = {entry.number("relid") for entry in entries}
    names, masking = dict[int, str](), set[int]()
    for oid, name in connection.execute(_NAMES, ([*relations],)):
        if name is None:
            masking.add(oid)
        else:
            names[oid] = name

    def named(columns: frozenset[StoredColumn]) -> tuple[Column, ...]:
        return tuple(sorted(Column(names[each.relation], each.name) for each in columns if each.relation in names))

    found = {}
    for mart, query in queries.items():
        made = view_lineage(query, frozenset(masking))
        found[mart] = MartLineage(
            {column: named(inputs) for column, inputs in made.values.items()},
            {column: named(inputs) for column, inputs in made.conditions.items()},
            named(made.rows),
        )
    return found
