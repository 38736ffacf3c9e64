-- Figures that a person may see, although what they are counted from is not for everybody.

-- How many current records of a stream there are that are not deleted. Telling which version is the current one takes the
-- keys, which may be personal: here the engine reads them, so that a report's figure is nobody's read of personal data
-- (13_statement_reads.sql).
create or replace function ops.current_records(staging_table text) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    counted bigint;
begin
    execute format('select count(*) from staging.%I where not _deleted', staging_table || '__current') into counted;
    return counted;
end $$;
comment on function ops.current_records(text) is 'How many current records of a stream there are that are not deleted.';
alter function ops.current_records(text) owner to onefold_loader;
revoke all on function ops.current_records(text) from public;
grant execute on function ops.current_records(text) to onefold_loader, onefold_engineer;
