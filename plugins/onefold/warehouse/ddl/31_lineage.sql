-- Lineage: every OpenLineage event as it was built, and the edges between datasets for easy querying.

create table if not exists lineage.event (
    event_id      bigint generated always as identity primary key,
    event_time    timestamptz not null,
    event_type    text not null,
    job_namespace text not null,
    job_name      text not null,
    run_id        uuid not null,
    event         jsonb not null,
    attempts      integer not null default 0,
    delivered_at  timestamptz
);
create index if not exists event_run on lineage.event (run_id);
create index if not exists event_undelivered on lineage.event (attempts, event_id) where delivered_at is null;
comment on column lineage.event.delivered_at is
    'When an external receiver (OPENLINEAGE_URL, OPENLINEAGE_CONFIG) got it; null while none has.';
comment on column lineage.event.attempts is 'Failed deliveries: the least-tried go first, so one bad event blocks none.';

-- Only completed runs make an edge: a failed run moved no data.
create table if not exists lineage.dataset_edge (
    run_id         uuid not null,
    input_dataset  text not null,
    output_dataset text not null,
    load_id        bigint,
    primary key (run_id, input_dataset, output_dataset)
);
create index if not exists dataset_edge_output on lineage.dataset_edge (output_dataset);
create index if not exists dataset_edge_load on lineage.dataset_edge (load_id) where load_id is not null;

-- One row per (output column, input field) of completed runs, from the columnLineage facet.
create or replace view lineage.column_edge as
select e.run_id,
       (o.dataset ->> 'namespace') || '/' || (o.dataset ->> 'name') as output_dataset,
       f.key as output_column,
       (i.field ->> 'namespace') || '/' || (i.field ->> 'name') as input_dataset,
       i.field ->> 'field' as input_field,
       i.field #>> '{transformations,0,description}' as transformation
from lineage.event e
cross join lateral jsonb_array_elements(e.event -> 'outputs') as o(dataset)
cross join lateral jsonb_each(o.dataset #> '{facets,columnLineage,fields}') as f
cross join lateral jsonb_array_elements(f.value -> 'inputFields') as i(field)
where e.event_type = 'COMPLETE';

grant usage on schema lineage to onefold_loader, onefold_engineer, onefold_auditor;
grant select, insert on lineage.event, lineage.dataset_edge to onefold_loader;
grant update (attempts, delivered_at) on lineage.event to onefold_loader;
grant update (load_id) on lineage.dataset_edge to onefold_loader;
grant select on lineage.event, lineage.dataset_edge, lineage.column_edge to onefold_engineer, onefold_auditor;
grant select on lineage.column_edge to onefold_loader;
