"""Which columns of which tables a statement reads, by PostgreSQL's own plan for it.

Views are resolved to their tables, and a star to its columns. What a scan or a join gives upwards may be more than what
is used of it (the planner takes whole rows where that is cheaper), so its output counts only where it is the result:
what is used above stands there once more. What masking reads to tell a person from a company (14_people.sql) the reader
has not read, and neither what a view shows to members of onefold_pii alone, if the reader is none. In doubt a column is
in rather than out: a mart that masks by a name worked out of several reads them all.
Source: PostgreSQL, EXPLAIN (VERBOSE, FORMAT JSON); use_physical_tlist in optimizer/plan/createplan.c.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from onefold.warehouse.rows import one_row

ALL = "*"
Plan = Mapping[str, object]
_COLUMN = re.compile(r'((?:"(?:[^"]|"")+"|\b[a-z_][a-z0-9_$]*))\.("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*|\*)')
_WORD = re.compile(r'(?<![.\w"])"?([a-z_][a-z0-9_$]*)"?(?![\w."(])')
_TEXT = re.compile(r"'(?:[^']|'')*'")
_EXACT = frozenset({"InitPlan", "SubPlan", "Subquery", "Member"})
"""Parts of a plan whose output is what was asked of them, whatever kind of node it is."""
_USES_ALL = frozenset({"ModifyTable", "Recursive Union", "SetOp", "Unique"})
"""Kinds of node that use all that the nodes below give them, and do not say it again."""
_HANDS_ON = frozenset(
    {"Gather", "Gather Merge", "Hash", "Hash Join", "Incremental Sort", "Materialize", "Memoize", "Merge Join"}
    | {"Nested Loop", "Sort"}
)
"""Kinds of node, besides scans, whose output no more than hands on what is used further up, or not at all."""
_NAME = r'(?:(?:"[^"]+"|[a-z_][a-z0-9_$]*)\.)?(?:"[^"]+"|[a-z_][a-z0-9_$]*)'
_MASKING = re.compile(rf"\bconformed\.is_natural_person\({_NAME}, (?:{_NAME}|NULL::text)\)")
"""Of columns as they are: of anything worked out of them the answer may tell more than a legal form."""
_MAY_READ = "conformed.may_read_people()"
_HIDDEN = r"CASE WHEN \((?:{asking})\)\.col1 THEN {name} ELSE NULL::[a-z0-9_ ]+?(?:\([0-9,]+\)[a-z ]*?)?(?:\[\])? END"
"""A personal column as a view shows it; `asking` are the InitPlans that find out whether the reader may see it."""


@dataclass(frozen=True, slots=True, order=True)
class ReadColumn:
    """A column of a table; ALL for a whole row."""

    schema: str
    table: str
    column: str


_TABLES = """
with recursive top as (
    select c.oid, n.nspname, c.relname, c.oid as parent from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = any (%s)
    union all
    select top.oid, top.nspname, top.relname, i.inhparent from top join pg_inherits i on i.inhrelid = top.parent
)
select distinct on (top.oid, a.attname) top.nspname, top.relname, pn.nspname, pc.relname, a.attname
from top join pg_class pc on pc.oid = top.parent join pg_namespace pn on pn.oid = pc.relnamespace
join pg_attribute a on a.attrelid = pc.oid and a.attnum > 0 and not a.attisdropped
where not exists (select from pg_inherits i where i.inhrelid = top.parent)
"""
"""The columns of tables, each table under the name of the one that it is a part of."""

SCHEMAS = ("conformed", "marts", "staging", "mapped", "landing", "ops", "dry_run_staging", "dry_run_mapped")
"""Where a name may be from that a session finds by its search_path."""
_PREPARE = b"prepare onefold_read as "
_PARAMETERS = "select cardinality(parameter_types) from pg_prepared_statements where name = 'onefold_read'"
_WITHIN = (
    "set local transaction_read_only = on; set local statement_timeout = '5s'; set local lock_timeout = '2s';"
    " set local plan_cache_mode = force_generic_plan; select set_config('search_path', {}, true)"
)


def read_columns(connection: psycopg.Connection, statement: str) -> frozenset[ReadColumn] | None:
    """What the statement would read for the session's role; None where PostgreSQL has no plan for it (SHOW, COPY,
    several statements).

    Nothing is run: EXPLAIN without ANALYZE only plans. Raises nothing: what is refused here is refused there too.
    """
    try:
        with connection.cursor() as cursor:
            # Binary: by the extended protocol, which takes one statement only.
            cursor.execute(b"explain (verbose, costs off, format json) " + statement.encode(), binary=True)
            row = cursor.fetchone()
            shown = bool(one_row(cursor.execute("select conformed.may_read_people()"))[0])
            return _columns(cursor, row[0] if row else None, shown)
    except (psycopg.Error, UnicodeEncodeError):
        return None


def planned_columns(connection: psycopg.Connection, query: str, *, shown: bool) -> frozenset[ReadColumn] | None:
    """What a query of somebody else would read, whatever its values; None where PostgreSQL has no plan for it here.

    `shown` is whether views show that reader what is personal.

    The connection is in no transaction, and its prepared statements are given up. The query may have parameters ($1).
    A name without a schema that is not found is looked for in each of ours: then the result is what any of them gives.
    Nothing is run, in no more than some seconds; raises nothing.
    """
    columns = _prepared(connection, query, "", shown)
    if columns is not None:
        return columns
    each = [_prepared(connection, query, path, shown) for path in (*SCHEMAS, ", ".join(SCHEMAS))]
    found = [columns for columns in each if columns is not None]
    return frozenset().union(*found) if found else None


def _prepared(
    connection: psycopg.Connection, query: str, search_path: str, shown: bool
) -> frozenset[ReadColumn] | None:
    try:
        with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(sql.SQL(_WITHIN).format(sql.Literal(search_path)))
            # Binary: by the extended protocol, which takes one statement only; PREPARE takes none but a query.
            cursor.execute(_PREPARE + query.encode(), binary=True)
            (parameters,) = one_row(cursor.execute(_PARAMETERS))
            values = sql.SQL("({})").format(sql.SQL(", ").join([sql.NULL] * parameters)) if parameters else sql.SQL("")
            cursor.execute(sql.SQL("explain (verbose, costs off, format json) execute onefold_read {}").format(values))
            row = cursor.fetchone()
            return _columns(cursor, row[0] if row else None, shown)
    except (psycopg.Error, UnicodeEncodeError):
        return None
    finally:
        if not connection.broken:
            connection.execute("deallocate all")


def _columns(cursor: psycopg.Cursor, plans: object, shown: bool) -> frozenset[ReadColumn] | None:
    """The columns of EXPLAIN's answer, of a part of a table under the table's name; None where it has no plan."""
    plans = json.loads(plans) if isinstance(plans, str | bytes) else plans
    if not isinstance(plans, list) or "Plan" not in plans[0]:
        return None
    named = frozenset(columns_of(plans[0]["Plan"], shown=shown))
    cursor.execute(_TABLES, (sorted({f"{each.schema}.{each.table}" for each in named}),))
    return frozenset(
        ReadColumn(parent_schema, parent, column)
        for schema, table, parent_schema, parent, column in cursor.fetchall()
        if named & {ReadColumn(schema, table, column), ReadColumn(schema, table, ALL)}
    )


def columns_of(plan: Plan, *, shown: bool) -> Iterator[ReadColumn]:
    """The columns in a plan, each perhaps several times; of a plan with one table also words that are none. Without
    `shown`, what a view hides from the reader is left out."""
    nodes = list(_nodes(plan, is_result=True))
    tables = {
        str(node["Alias"]): (str(node["Schema"]), str(node["Relation Name"]))
        for node, _ in nodes
        if "Relation Name" in node
    }
    hidden = None if shown else _hidden(node for node, _ in nodes)
    for node, is_result in nodes:
        for expression in _expressions(node, is_result):
            text = _MASKING.sub("", _TEXT.sub("", expression))
            text = hidden.sub("", text) if hidden else text
            for alias, column in _COLUMN.findall(text):
                if table := tables.get(_plain(alias)):
                    yield ReadColumn(*table, _plain(column))
            if len(tables) == 1:  # with one table its columns stand alone
                (table,) = tables.values()
                yield from (ReadColumn(*table, word) for word in _WORD.findall(text))


def _hidden(nodes: Iterable[Plan]) -> re.Pattern[str] | None:
    """What stands in the plan for a column that may_read_people() hides; None where it is not asked.

    A plan may not give an expression of its own for it: NULL is what every such CASE then is.
    """
    asking = [str(each["Subplan Name"]) for each in nodes if "Subplan Name" in each and _asks_who_may_read(each)]
    return re.compile(_HIDDEN.format(asking="|".join(map(re.escape, asking)), name=_NAME)) if asking else None


def _asks_who_may_read(node: Plan) -> bool:
    return node.get("Output") == [_MAY_READ] and "Plans" not in node


def _nodes(plan: Plan, *, is_result: bool) -> Iterator[tuple[Plan, bool]]:
    yield plan, is_result
    inner = plan.get("Plans")
    for each in inner if isinstance(inner, list) else ():
        exact = plan.get("Node Type") in _USES_ALL or each.get("Parent Relationship") in _EXACT
        yield from _nodes(each, is_result=exact)


def _expressions(node: Plan, is_result: bool) -> Iterator[str]:
    """Every expression of a node; what a scan or a join that is no result gives upwards is left out.

    So is what a Memoize keeps its rows by: the nodes below that use it say so themselves.
    """
    hands_on = "Relation Name" in node or node.get("Node Type") in _HANDS_ON
    for name, value in node.items():
        if name == "Output" and hands_on and not is_result:
            continue
        if name in ("Plans", "Alias", "Schema", "Relation Name", "Node Type", "Index Name", "CTE Name", "Cache Key"):
            continue
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                yield text


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
