-- Historical migrations: what was planned, who approved it, and how far each chunk has come.
create table if not exists ops.migration (
    migration_id bigint generated always as identity primary key,
    system text not null,
    streams text[] not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    chunk interval not null,
    mode text not null check (mode in ('incremental', 'service_window')),
    service_window text,
    rate text,
    reason text not null,
    actor text not null,
    run_id text not null unique,
    approver text,
    state text not null default 'planned'
        check (state in ('planned', 'rehearsed', 'approved', 'published', 'refused', 'failed')),
    plan jsonb not null,
    report jsonb,
    error text,
    begun_at timestamptz not null default now(),
    ended_at timestamptz,
    check (window_start < window_end),
    check ((mode = 'service_window') = (service_window is not null))
);

create table if not exists ops.migration_chunk (
    migration_id bigint not null references ops.migration,
    stream text not null,
    position int not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    rehearsed_load bigint references ops.load,
    load_id bigint references ops.load,
    totals jsonb,
    primary key (migration_id, stream, position)
);
alter table ops.migration_chunk add column if not exists counted jsonb;

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
