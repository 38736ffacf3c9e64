-- Who may call what. PostgreSQL lets everybody call every function until somebody says otherwise.

-- What everybody may call although only the engine should: `up` asks at each start, and closes what an upgrade of
-- PostgreSQL, an extension or a migration has opened again.
--   Advisory locks are what loads, conform and the audit chain wait for: who may take one can stop them all.
--   Large objects lie outside of temp_file_limit: who may make them can fill the disk.
create or replace function ops.open_to_everybody() returns setof regprocedure
language sql stable set search_path = pg_catalog, pg_temp as $$
    select p.oid::regprocedure
    from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
    where (n.nspname = 'pg_catalog' and p.proname ~ '^(pg_(try_)?advisory_|lo_|loread$|lowrite$)'
            or n.nspname in ('public', 'landing', 'staging', 'mapped', 'conformed', 'marts', 'dry_run_staging',
                'dry_run_mapped', 'ops', 'audit', 'lineage', 'inbox'))
        and has_function_privilege('public', p.oid, 'execute')
$$;

do $$
declare
    found regprocedure;
begin
    for found in select ops.open_to_everybody() loop
        execute format('revoke all on routine %s from public', found);
    end loop;
    for found in
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace and p.proname ~ '^pg_(try_)?advisory_'
    loop
        execute format('grant execute on function %s to onefold_loader, onefold_definer', found);
    end loop;
end $$;
alter default privileges revoke execute on routines from public;
alter default privileges for role onefold_loader revoke execute on routines from public;

-- No endless loop in a DO block; what a function of ours is written in needs no right of its caller.
revoke usage on language plpgsql from public;
grant usage on language plpgsql to onefold_loader;

grant execute on all functions in schema audit to onefold_definer;
grant execute on function ops.components(text), ops.touched(regclass, regclass, regclass, text[]), ops.value_kind(jsonb)
    to onefold_loader;
grant execute on function ops.erase_paths(jsonb, jsonb), ops.erased_hash(jsonb, boolean), ops.values_at(jsonb, jsonb, jsonb)
    to onefold_loader;
grant execute on function ops.value_kind(jsonb) to onefold_engineer;
-- A view's functions are called with the rights of who reads it.
grant execute on function conformed.provenance(text[], jsonb, text[], int[], bigint[], int[])
    to onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;

-- Ends the sessions of readers that are in the way: that have a transaction open for too long, do nothing in one for too
-- long, or hold what another session has waited for too long. A reader may set its own time-outs otherwise
-- (warehouse/access.py), and a table that is only read still holds up who must replace it. Returns whose and why.
create or replace function ops.end_overdue_readers(idle interval, open interval, waited interval)
returns table (reader name, reason text) language sql security definer set search_path = pg_catalog, pg_temp as $$
    with overdue as materialized (
        select a.pid, a.usename, case
            when exists (
                select from pg_locks as l where l.waitstart < clock_timestamp() - waited
                    and a.pid = any(pg_blocking_pids(l.pid))
            ) then 'another session has waited for it'
            when pg_has_role(a.usesysid, 'onefold_engineer', 'member') then null
            when a.state like 'idle in transaction%' and a.state_change < clock_timestamp() - idle
                then 'idle in a transaction'
            when a.xact_start < clock_timestamp() - open then 'its transaction was open too long'
        end as why
        from pg_stat_activity as a
        where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
            and not pg_has_role(a.usesysid, 'onefold_loader', 'member')  -- nor the superuser, who is every role's member
    )
    select usename, why from overdue where why is not null and pg_terminate_backend(pid)
$$;
revoke all on function ops.end_overdue_readers(interval, interval, interval) from public;
grant execute on function ops.end_overdue_readers(interval, interval, interval) to onefold_loader;
