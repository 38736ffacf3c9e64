-- Who reads past onefold sql (psql, a BI tool): pg_stat_statements counts every statement by role, whatever the session
-- wants; what has been counted since last time is appended to the chain. What a statement reads, the engine says
-- (privacy/direct_reads.py); who has asked it and how often is taken from PostgreSQL here.

comment on table audit.statement_counter is
    'What PostgreSQL had counted of each statement of a reader when it was last recorded in audit.event read.statements.';
comment on table audit.statement_watch is
    'One row: when direct reads were last recorded (collected_at; null: they are not any more), and what would show that PostgreSQL has forgotten some.';

-- The roles whose statements are the engine's own. A superuser is none of them.
create or replace function audit.engine_roles() returns oid[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(r.oid), '{}') from pg_roles as r
    where not r.rolsuper and (r.rolname in ('onefold_definer', 'onefold_approvals', 'airflow')
        or pg_has_role(r.oid, (select e.oid from pg_roles as e where e.rolname = 'onefold_loader'), 'member'))
$$;

-- Why direct reads are not, or not all, recorded; null when they are. As whom it is asked matters not, but for the
-- server's own setting, which the engine's sessions do not have.
create or replace function audit.direct_reads_missing() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    named text;
begin
    if current_setting('pg_stat_statements.max', true) is null then
        return 'pg_stat_statements is not loaded: add it to shared_preload_libraries and restart PostgreSQL';
    elsif to_regclass('audit.pg_stat_statements') is null then
        return 'the extension pg_stat_statements is not in schema audit: run bin/onefold up as a superuser of the server';
    end if;
    select string_agg(distinct coalesce(r.rolname, 'every role'), ', ') into named
    from pg_db_role_setting as s left join pg_roles as r on r.oid = s.setrole cross join unnest(s.setconfig) as setting
    where s.setrole <> all (audit.engine_roles())
        and setting ~ '^(pg_stat_statements\.track=(?!all$)|pg_stat_statements\.track_planning=(?!on$)|compute_query_id=off)'
        and s.setdatabase in (0, (select d.oid from pg_database as d where d.datname = current_database()));
    if named is not null then
        return 'recording is switched off for ' || named || ' (alter role … reset pg_stat_statements.track)';
    elsif (select r.oid from pg_roles as r where r.rolname = session_user) <> all (audit.engine_roles())
        and (current_setting('pg_stat_statements.track') <> 'all'
            or current_setting('pg_stat_statements.track_planning')::boolean is not true) then
        return 'set pg_stat_statements.track = all and pg_stat_statements.track_planning = on for the server';
    end if;
    return null;
end $$;

-- The roles to which views show what is personal (conformed.may_read_people).
create or replace function audit.roles_shown_people() returns oid[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(r.oid), '{}') from pg_roles as r
    where pg_has_role(r.oid, (select p.oid from pg_roles as p where p.rolname = 'onefold_pii'), 'usage')
$$;

-- Begins a collection: whether there is anything to collect. What PostgreSQL has forgotten since the last one, and that
-- recording has begun or ended, is appended as read.gap.
create or replace function audit.begin_direct_reads(person text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    was audit.statement_watch;
    found record;
    gone bigint;
    why text;
begin
    insert into audit.statement_watch default values on conflict do nothing;
    select * into was from audit.statement_watch for update;
    if current_setting('pg_stat_statements.max', true) is null or to_regclass('audit.pg_stat_statements') is null then
        if was.collected_at is not null then
            update audit.statement_watch set collected_at = null;
            perform audit.append_any(person, 'read.gap', 'statements:postgresql', null, null,
                jsonb_build_object('reason', 'recorded_no_more', 'since', audit.instant(was.collected_at)), 'ok');
        end if;
        return false;
    end if;
    select i.dealloc, i.stats_reset into found from audit.pg_stat_statements_info() as i;
    with there as (
        select s.userid, s.queryid, s.toplevel, s.stats_since from audit.pg_stat_statements(false) as s
        where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
    ), forgotten as (
        delete from audit.statement_counter as c where not exists (
            select from there as t where (t.userid, t.queryid, t.toplevel, t.stats_since)
                = (c.role, c.query_id, c.top_level, c.since)
        ) returning 1
    )
    select count(*) into gone from forgotten;
    why := case
        when was.collected_at is null then 'not_recorded_before'
        when found.stats_reset <> was.reset_at then 'statistics_reset'
        when found.dealloc <> was.evictions then 'statements_evicted'
        when gone > 0 then 'statements_removed'
    end;
    if why is not null then
        perform audit.append_any(person, 'read.gap', 'statements:postgresql', null, null, jsonb_build_object(
            'reason', why, 'statements_gone', gone, 'evictions', greatest(found.dealloc - coalesce(was.evictions, 0), 0),
            'since', audit.instant(was.collected_at)), 'ok');
    end if;
    update audit.statement_watch set evictions = found.dealloc, reset_at = found.stats_reset,
        since = was.collected_at, collected_at = clock_timestamp(),
        shown_before = was.shown_now, shown_now = audit.roles_shown_people();
    return true;
end $$;

create or replace function audit.instant(moment timestamptz) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- Statements of readers that were planned or have ended since they were last recorded. Their text may hold values. `shown`
-- is whether their reader has been a member of onefold_pii, now or when they were recorded the time before.
create or replace function audit.direct_reads(most integer)
returns table (role oid, query_id bigint, top_level boolean, text text, shown boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$ begin
    return query select s.userid, s.queryid, s.toplevel, coalesce(left(s.query, 100000), '')
        , s.userid = any (w.shown_before || w.shown_now || audit.roles_shown_people())
    from audit.statement_watch as w cross join audit.pg_stat_statements(true) as s left join audit.statement_counter as c
        on (c.role, c.query_id, c.top_level, c.since) = (s.userid, s.queryid, s.toplevel, s.stats_since)
    where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
        and s.userid <> all (audit.engine_roles())
        and (s.plans > coalesce(c.plans, 0) or s.calls > coalesce(c.calls, 0))
    order by s.stats_since, s.queryid, s.toplevel
    limit direct_reads.most;
end $$;

-- Appends read.statements for each role and statement of these, and remembers what was counted of all of them. `said` is
-- a list of {role, query_id, top_level, reads} as direct_reads() gave them; `reads` is {sha256, text, columns_known,
-- personal_columns}, or null where the statement reads nothing personal. Returns how many events.
create or replace function audit.record_direct_reads(said jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    found record;
    events bigint := 0;
    since_then text;
begin
    select audit.instant(w.since) into since_then from audit.statement_watch as w for update;
    for found in
        with given as (
            select g.* from jsonb_to_recordset(said) as g (role oid, query_id bigint, top_level boolean, reads jsonb)
        ), counted as materialized (
            select g.role, g.query_id, g.top_level, g.reads, s.stats_since, s.plans, s.calls, s.rows,
                s.plans - coalesce(c.plans, 0) as more_plans, s.calls - coalesce(c.calls, 0) as more_calls,
                s.rows - coalesce(c.rows, 0) as more_rows
            from given as g join audit.pg_stat_statements(false) as s
                on (s.userid, s.queryid, s.toplevel) = (g.role, g.query_id, g.top_level)
                and s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
            left join audit.statement_counter as c
                on (c.role, c.query_id, c.top_level, c.since) = (s.userid, s.queryid, s.toplevel, s.stats_since)
            where s.userid <> all (audit.engine_roles())
        ), remembered as (
            insert into audit.statement_counter (role, query_id, top_level, since, plans, calls, rows)
            select n.role, n.query_id, n.top_level, n.stats_since, n.plans, n.calls, n.rows from counted as n
            on conflict (role, query_id, top_level) do update set since = excluded.since, plans = excluded.plans,
                calls = excluded.calls, rows = excluded.rows
        )
        select coalesce(r.rolname, 'dropped-' || n.role) as reader, decode(n.reads ->> 'sha256', 'hex') as sha256,
            min(n.reads ->> 'text') as text, bool_and((n.reads -> 'columns_known')::boolean) as columns_known,
            (array_agg(n.reads -> 'personal_columns'))[1] as personal_columns,
            sum(n.more_plans)::bigint as plans, sum(n.more_calls)::bigint as calls, sum(n.more_rows)::bigint as rows
        from counted as n left join pg_roles as r on r.oid = n.role
        where jsonb_typeof(n.reads) = 'object' and (n.more_plans > 0 or n.more_calls > 0)
        group by 1, 2 order by 1, 2
    loop
        perform audit.append_any('role:' || regexp_replace(found.reader, '[^[:alnum:]_.:@+-]', '_', 'g'), 'read.statements',
            audit.keep_statement(found.sha256, found.text), null, null, jsonb_build_object(
                'columns_known', found.columns_known, 'personal_columns', found.personal_columns,
                'plans', found.plans, 'calls', found.calls, 'rows', found.rows, 'since', since_then), 'ok');
        events := events + 1;
    end loop;
    return events;
end $$;

-- Empties PostgreSQL's own file of statements, in which some values stand as they were typed. What was counted and not yet recorded goes with it, which the chain says.
create or replace function audit.forget_counted_statements(person text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    was timestamptz;
begin
    if current_setting('pg_stat_statements.max', true) is null or to_regclass('audit.pg_stat_statements') is null then
        return;
    end if;
    select w.collected_at into was from audit.statement_watch as w for update;
    perform audit.pg_stat_statements_reset();
    delete from audit.statement_counter;
    update audit.statement_watch set (evictions, reset_at, collected_at) = (
        select i.dealloc, i.stats_reset, clock_timestamp() from audit.pg_stat_statements_info() as i);
    perform audit.append_any(person, 'read.gap', 'statements:postgresql', null, null,
        jsonb_build_object('reason', 'forgotten_on_demand', 'since', audit.instant(was)), 'ok');
end $$;

alter function audit.forget_counted_statements(text) owner to onefold_definer;
alter function audit.direct_reads_missing() owner to onefold_definer;
alter function audit.begin_direct_reads(text) owner to onefold_definer;
alter function audit.direct_reads(integer) owner to onefold_definer;
alter function audit.record_direct_reads(jsonb) owner to onefold_definer;
revoke all on function audit.direct_reads_missing(), audit.begin_direct_reads(text), audit.direct_reads(integer),
    audit.record_direct_reads(jsonb), audit.forget_counted_statements(text), audit.engine_roles(), audit.roles_shown_people(),
    audit.instant(timestamptz) from public;
