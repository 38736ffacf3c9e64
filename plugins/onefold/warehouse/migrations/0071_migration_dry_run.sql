-- A migration's first pass is a dry run, as everywhere else; when it began has the name that loads and publishes have.
alter table ops.migration rename column begun_at to started_at;
alter table ops.migration_chunk rename column rehearsed_load to dry_run_load;
do $$
declare
    checked name := (
        select conname from pg_constraint
        where conrelid = 'ops.migration'::regclass and pg_get_constraintdef(oid) like '%rehearsed%'
    );
begin
    execute format('alter table ops.migration drop constraint %I', checked);
end $$;
update ops.migration set state = 'dry_run' where state = 'rehearsed';
alter table ops.migration add constraint migration_state_check
    check (state in ('planned', 'dry_run', 'approved', 'published', 'refused', 'failed'));
