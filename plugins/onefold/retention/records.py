"""What Onefold records of its own work: lineage, the ledger of loads (schema ops), and what was left in landing.

The audit chain is kept whole. Of lineage the newest completed run of each job stays, from which the lineage of columns
is read. Of the ledger stays every load that wrote something, that a cursor, a publish or another table refers to, that
was rolled back, and the newest of each stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import psycopg
from psycopg import sql

from onefold.catalog.privacy import TechnicalRetention
from onefold.retention.purge import RowPurge, make_purge

_LINEAGE = """
select e.event_id from lineage.event e
where e.event_time < {before} and not (e.event_type = 'COMPLETE' and not exists (
    select from lineage.event n where n.job_namespace = e.job_namespace and n.job_name = e.job_name
      and n.event_type = 'COMPLETE' and n.event_id > e.event_id))
order by e.event_id
"""
_DELETE_LINEAGE = "delete from lineage.event where event_id = any (array({due} limit {batch}))"
_EDGES = """
select d.ctid from lineage.dataset_edge d where not exists (select from lineage.event e where e.run_id = d.run_id)
"""
_DELETE_EDGES = "delete from lineage.dataset_edge where ctid = any (array({due} limit {batch}))"

_OLD_ROWS = "select t.ctid from {table} t where {at} < {before} and {unreferenced}"
_DELETE_ROWS = "delete from {table} where ctid = any (array({due} limit {batch}))"
_ALL_ROWS = "select count(*), min({at}) from {table} t"

_IDLE_LOADS = """
select l.load_id from ops.load l
where l.ended_at < {before} and l.state in ('published', 'rejected')
  and coalesce(l.rollback_until, l.ended_at) < {before}
  and l.rows_new + l.rows_changed + l.rows_deleted = 0
  and exists (select from ops.load n where n.system = l.system and n.stream = l.stream and n.state = 'published'
              and n.load_id > l.load_id and n.rollback_until < {before}
              and (not l.moved_cursor or n.moved_cursor and n.window_end >= l.window_end
                   and (l.cursor_value is null or n.cursor_value >= l.cursor_value)))
  and {unreferenced}
"""
_DELETE_LOADS = "delete from ops.load where load_id = any (array({due} limit {batch}))"
_REFERENCES = """
select n.nspname, r.relname, a.attname, k.attname
from pg_constraint c
join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
join pg_attribute k on k.attrelid = c.confrelid and k.attnum = c.confkey[1]
where c.contype = 'f' and c.confrelid = %s::regclass order by 1, 2, 3
"""

LEDGERS = {
    "ops.gate_result": "at",
    "ops.contract_change": "at",
    "ops.deletes_refused": "at",
    "ops.new_field": "first_seen",
    "ops.usage": "(select coalesce(l.ended_at, l.started_at) from ops.load l where l.load_id = t.load_id)",
    "ops.alert": "t.resolved_at",
    "ops.hypercare": "t.ended_at",
    "ops.hypercare_message": "t.created_at",
    "ops.reconciliation": "t.ended_at",
    "ops.llm_call": "date_trunc('month', t.reserved_at, 'UTC') + interval '1 month'",
}
"""The tables of the ledger that only grow, and when a row of each was last of use."""


_PLANNED = """
select r.ctid from ops.write_back_plan_row r join ops.write_back_plan p using (plan_id)
where coalesce(p.ended_at, p.created_at) < {before}
    and jsonb_path_exists(jsonb_build_array(r.before, r.after), '$[*].* ? (@ != null)')
"""
# A plan without values is not executed: that it may not be is said in the same statement.
_FORGET_PLANNED = """
with expired as (
    update ops.write_back_plan set state = 'expired', reason = 'its values were due to go', ended_at = now()
    where state in ('planning', 'planned') and created_at < {before})
update ops.write_back_plan_row set
    before = (select coalesce(jsonb_object_agg(name, null), '{{}}') from jsonb_object_keys(before) as name),
    after = (select coalesce(jsonb_object_agg(name, null), '{{}}') from jsonb_object_keys(after) as name),
    shown = (select coalesce(jsonb_object_agg(name, '[null, null]'::jsonb), '{{}}')
        from jsonb_object_keys(shown) as name)
where ctid = any (array({due} limit {batch}))
"""
_ALL_PLANNED = """
select count(*), min(p.created_at) from ops.write_back_plan_row r join ops.write_back_plan p using (plan_id)
where jsonb_path_exists(jsonb_build_array(r.before, r.after), '$[*].* ? (@ != null)')
"""
# The digest stays, by which the same again causes no write, and the reference, by which the target is asked.
_SENT = "select ctid from ops.outbox where sent is not null and coalesce(unknown_since, sent_at) < {before}"
_FORGET_SENT = "update ops.outbox set sent = null where ctid = any (array({due} limit {batch}))"
_ALL_SENT = "select count(*), min(sent_at) from ops.outbox where sent is not null"


def record_purges(connection: psycopg.Connection, periods: TechnicalRetention, now: datetime) -> Iterator[RowPurge]:
    """What may be due of lineage and the ledger."""
    lineage: dict[str, sql.Composable] = {"before": sql.Literal(now - periods.lineage)}
    all_events = "select count(*), min(event_time) from lineage.event"
    yield make_purge("lineage", "lineage.event", periods.lineage, all_events, _LINEAGE, _DELETE_LINEAGE, lineage)
    all_edges = "select count(*), null::timestamptz from lineage.dataset_edge"
    yield make_purge("lineage", "lineage.dataset_edge", periods.lineage, all_edges, _EDGES, _DELETE_EDGES, lineage)
    before = {"before": sql.Literal(now - periods.ledger)}
    written = {"before": sql.Literal(now - periods.written_out)}
    for table, every, due, forget in (
        ("ops.write_back_plan_row", _ALL_PLANNED, _PLANNED, _FORGET_PLANNED),
        ("ops.outbox", _ALL_SENT, _SENT, _FORGET_SENT),
    ):
        yield make_purge("written_out", table, periods.written_out, every, due, forget, written)
    answers = {
        "before": sql.Literal(now - periods.llm_answers),
        "table": sql.Identifier("ops", "llm_answer"),
        "at": sql.SQL("t.answered_at"),
        "unreferenced": sql.SQL("true"),
    }
    yield make_purge("llm_answers", "ops.llm_answer", periods.llm_answers, _ALL_ROWS, _OLD_ROWS, _DELETE_ROWS, answers)
    usage_of_reconciliation = """
        select t.ctid from ops.usage t join ops.reconciliation r using (reconciliation_id) where r.ended_at < {before}
    """
    all_of_reconciliation = """
        select count(*), min(r.ended_at) from ops.usage join ops.reconciliation r using (reconciliation_id)
    """
    usage = {**before, "table": sql.Identifier("ops", "usage")}
    yield make_purge(
        "ledger", "ops.usage", periods.ledger, all_of_reconciliation, usage_of_reconciliation, _DELETE_ROWS, usage
    )
    for table, at in LEDGERS.items():
        names = {
            **before,
            "table": sql.Identifier(*table.split(".")),
            "at": sql.SQL(at),
            "unreferenced": _unreferenced(connection, table, "t"),
        }
        yield make_purge("ledger", table, periods.ledger, _ALL_ROWS, _OLD_ROWS, _DELETE_ROWS, names)
    names = {**before, "unreferenced": _unreferenced(connection, "ops.load", "l")}
    all_loads = "select count(*), min(started_at) from ops.load"
    yield make_purge("ledger", "ops.load", periods.ledger, all_loads, _IDLE_LOADS, _DELETE_LOADS, names)


def _unreferenced(connection: psycopg.Connection, table: str, alias: str) -> sql.Composable:
    """That no row of a table with a foreign key refers to the row `alias`: whichever tables there are."""
    references = connection.execute(_REFERENCES, (table,)).fetchall()
    conditions = [
        sql.SQL("not exists (select from {} r where r.{} = {}.{})").format(
            sql.Identifier(schema, name), sql.Identifier(column), sql.Identifier(alias), sql.Identifier(key)
        )
        for schema, name, column, key in references
    ]
    return sql.SQL(" and ").join(conditions) if conditions else sql.SQL("true")
