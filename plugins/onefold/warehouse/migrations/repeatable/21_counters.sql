-- Counters of each stream for the metrics (onefold/metrics/ledger.py). They never fall: a load that was rolled back stays
-- counted as published, since the rollback is an event of its own, and what is deleted from the ledger goes to the base.
create or replace view ops.stream_counter as
select system, stream,
       sum(loads_published)::bigint as loads_published, sum(loads_rejected)::bigint as loads_rejected,
       sum(rows_read)::bigint as rows_read, sum(rows_written)::bigint as rows_written,
       sum(rows_quarantined)::bigint as rows_quarantined, sum(requests)::bigint as requests, sum(bytes)::bigint as bytes
from (
    select system, stream, loads_published, loads_rejected, rows_read, rows_written, rows_quarantined, requests, bytes
    from ops.stream_counter_base
    union all
    select system, stream,
           count(*) filter (where state <> 'rejected'), count(*) filter (where state = 'rejected'), sum(rows_read),
           coalesce(sum(rows_new + rows_changed + rows_deleted) filter (where state <> 'rejected'), 0),
           sum(rows_quarantined), 0, 0
    from ops.load where state in ('published', 'rolled_back', 'rejected') group by system, stream
    union all
    -- What clients ask of the register API is counted with their quotas, and is no request to a source.
    select system, stream, 0, 0, 0, 0, 0, sum(requests), sum(bytes) from ops.usage
    where api_client is null or system <> 'api' group by system, stream
) counted
group by system, stream;

create or replace function ops.keep_load_counters() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.stream_counter_base as base
        (system, stream, loads_published, loads_rejected, rows_read, rows_written, rows_quarantined)
    select system, stream,
           count(*) filter (where state <> 'rejected'), count(*) filter (where state = 'rejected'), sum(rows_read),
           coalesce(sum(rows_new + rows_changed + rows_deleted) filter (where state <> 'rejected'), 0),
           sum(rows_quarantined)
    from deleted where state in ('published', 'rolled_back', 'rejected') group by system, stream
    on conflict (system, stream) do update set
        loads_published = base.loads_published + excluded.loads_published,
        loads_rejected = base.loads_rejected + excluded.loads_rejected,
        rows_read = base.rows_read + excluded.rows_read,
        rows_written = base.rows_written + excluded.rows_written,
        rows_quarantined = base.rows_quarantined + excluded.rows_quarantined;
    return null;
end $$;
create or replace trigger keep_counters after delete on ops.load
    referencing old table as deleted for each statement execute function ops.keep_load_counters();

create or replace function ops.keep_usage_counters() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.stream_counter_base as base (system, stream, requests, bytes)
    select system, stream, sum(requests), sum(bytes) from deleted
    where api_client is null or system <> 'api' group by system, stream
    on conflict (system, stream) do update set
        requests = base.requests + excluded.requests, bytes = base.bytes + excluded.bytes;
    return null;
end $$;
create or replace trigger keep_counters after delete on ops.usage
    referencing old table as deleted for each statement execute function ops.keep_usage_counters();

comment on table ops.stream_counter_base is 'What counters had counted of loads and requests that were deleted since.';
comment on view ops.stream_counter is 'Counters of each stream since the beginning; they never fall.';
