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
comment on table ops.migration is 'One row per historical migration. planned: its chunks are being rehearsed; rehearsed: it '
    'waits for approval; approved: its chunks are being published; then published, refused by a person, or failed.';

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
comment on column ops.migration_chunk.rehearsed_load is 'The load that read the chunk and was judged; null until then.';
comment on column ops.migration_chunk.load_id is 'The load that published it; null until then.';
comment on column ops.migration_chunk.counted is 'How many records the source counted in it before and after it was '
    'read, and how many were read; null where the source cannot count.';

grant select, insert, update on ops.migration, ops.migration_chunk to onefold_loader;
grant select on ops.migration, ops.migration_chunk to onefold_engineer, onefold_auditor;
