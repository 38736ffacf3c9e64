"""PostgreSQL counts the statements of readers (pg_stat_statements), for what they read to be recorded.

The engine's own sessions are not counted: they would push the readers' out, and cost time for nothing. Of engineers,
utility statements are counted too, since COPY of a table is one, and only they read tables.
Source: https://www.postgresql.org/docs/current/pgstatstatements.html
"""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

UNCOUNTED = b"set pg_stat_statements.track = 'none'"
"""For a session of the superuser: what it does for the engine is no read, and its statements may hold passwords."""
_LOADED = "select current_setting('pg_stat_statements.max', true) is not null"
_AVAILABLE = "select exists (select from pg_available_extensions where name = 'pg_stat_statements')"
_INSTALLED = "select exists (select from pg_extension where extname = 'pg_stat_statements')"
_OWN_SETTINGS = """
with wanted as (
    select r.oid, r.rolname, setting.name, setting.value
    from pg_roles as r cross join (values
        ('engine', 'pg_stat_statements.track', 'none'), ('engine', 'compute_query_id', 'off'),
        ('copies', 'pg_stat_statements.track_utility', 'on')
    ) as setting (whose, name, value)
    where r.rolcanlogin and case setting.whose
        when 'engine' then r.oid = any (audit.engine_roles())
        else r.oid <> all (audit.engine_roles()) and not r.rolsuper
            and (pg_has_role(r.oid, 'onefold_engineer', 'member') or pg_has_role(r.oid, 'onefold_pii', 'member'))
        end
)
select w.rolname, w.name, w.value from wanted as w
where not exists (
    select from pg_db_role_setting as s
    where s.setrole = w.oid and s.setdatabase = 0 and w.name || '=' || w.value = any (s.setconfig)
)
"""
_RIGHTS = """
with ours as (
    select p.oid from pg_proc as p join pg_depend as d on d.objid = p.oid and d.classid = 'pg_proc'::regclass
    join pg_extension as e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
    where e.extname = 'pg_stat_statements'
), views as (
    select c.oid from pg_class as c join pg_depend as d on d.objid = c.oid and d.classid = 'pg_class'::regclass
    join pg_extension as e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
    where e.extname = 'pg_stat_statements'
)
select format('revoke all on %%s from public', oid::regclass) from views
where has_table_privilege('public', oid, 'select')
union all
select format('grant select on %%s to %%I', oid::regclass, %(reader)s::text) from views
where not has_table_privilege(%(reader)s, oid, 'select')
union all
select format('revoke all on function %%s from public', oid::regprocedure) from ours
where has_function_privilege('public', oid, 'execute')
union all
select format('grant execute on function %%s to %%I', oid::regprocedure, %(reader)s::text) from ours
where not has_function_privilege(%(reader)s, oid, 'execute')
union all
select format('grant pg_read_all_stats to %%I', %(reader)s::text)
where not pg_has_role(%(reader)s, 'pg_read_all_stats', 'member')
"""


def count_statements(connection: psycopg.Connection, reader: str) -> None:
    """Make the extension, let the role `reader` alone read it, and set for each login what is counted of it.

    The superuser's connection to the warehouse, in autocommit. Changes only what is otherwise, and nothing where the
    server has not loaded the extension or does not let us: direct reads are then not recorded, which
    audit.direct_reads_missing() says.
    """
    connection.execute(UNCOUNTED)
    if not _is(connection, _LOADED) or not (_is(connection, _INSTALLED) or _is(connection, _AVAILABLE)):
        log.warning("This PostgreSQL has not loaded pg_stat_statements: who reads past `onefold sql` is not recorded.")
        return
    try:
        with connection.transaction():
            connection.execute("set local client_min_messages = error")
            connection.execute("create extension if not exists pg_stat_statements schema audit")
            _let_read(connection, reader)
            for role, name, value in connection.execute(_OWN_SETTINGS).fetchall():
                change = sql.SQL("alter role {} set {} to {}")
                setting = sql.SQL(".").join(map(sql.Identifier, str(name).split(".")))
                connection.execute(change.format(sql.Identifier(role), setting, sql.Literal(value)))
    except psycopg.errors.InsufficientPrivilege:
        log.warning(
            "This PostgreSQL does not let %s count statements: who reads past `onefold sql` is not recorded. Its "
            "superuser can: create extension pg_stat_statements schema audit.",
            connection.info.user,
        )


def _let_read(connection: psycopg.Connection, reader: str) -> None:
    """The texts hold values of whatever somebody has asked: nobody else may read them."""
    for (change,) in connection.execute(_RIGHTS, {"reader": reader}).fetchall():
        connection.execute(str(change).encode())


def _is(connection: psycopg.Connection, question: str) -> bool:
    return connection.execute(question.encode()).fetchone() == (True,)
