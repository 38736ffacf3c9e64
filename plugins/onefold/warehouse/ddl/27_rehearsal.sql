-- The shadow: where rehearsed loads are mapped and resolved, out of analysts' sight (conform/dry_run_schemas.py).
create schema if not exists shadow_staging authorization onefold_loader;
create schema if not exists shadow_mapped authorization onefold_loader;
grant usage on schema shadow_staging, shadow_mapped to onefold_engineer;
alter default privileges for role onefold_loader in schema shadow_staging, shadow_mapped
    grant select on tables to onefold_engineer;

-- Warehouses that were made before there were rehearsals.
do $do$
begin
    if (select pg_get_constraintdef(oid) not like '%rehearsed%' from pg_constraint
        where conrelid = 'ops.load'::regclass and conname = 'load_state_check') then
        alter table ops.load drop constraint load_state_check, add constraint load_state_check
            check (state in ('extracting', 'landed', 'gated', 'published', 'rejected', 'rolled_back', 'rehearsed'));
    end if;
end $do$;
