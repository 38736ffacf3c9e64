-- Where warehouse and source differ, found by reconciliation.
create table if not exists ops.reconciliation (
    reconciliation_id bigint generated always as identity primary key,
    system text not null,
    stream text not null,
    dag_id text not null,
    run_id text not null,
    actor text not null,
    state text not null default 'comparing' check (state in ('comparing', 'compared', 'skipped', 'failed')),
    how text check (how in ('counts', 'keys')),
    window_start timestamptz,
    window_end timestamptz,
    buckets_counted bigint not null default 0,
    windows_read bigint not null default 0,
    records_read bigint not null default 0,
    missing bigint not null default 0,
    changed bigint not null default 0,
    gone bigint not null default 0,
    repaired_windows bigint not null default 0,
    reason text,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);
create index if not exists reconciliation_by_run on ops.reconciliation (dag_id, run_id);
create index if not exists reconciliation_by_stream on ops.reconciliation (system, stream, reconciliation_id);

create table if not exists ops.drift (
    system text not null,
    stream text not null,
    _key text collate "C" not null,
    kind text not null check (kind in ('missing', 'changed', 'gone')),
    bucket date,
    since timestamptz not null,
    first_seen timestamptz not null default now(),
    last_seen timestamptz not null default now(),
    reconciliation_id bigint not null references ops.reconciliation,
    primary key (system, stream, _key)
);

-- A comparison asks the source too: what it used is counted beside what loads used.
alter table ops.usage add column if not exists reconciliation_id bigint references ops.reconciliation;
alter table ops.usage drop constraint if exists usage_pkey;
alter table ops.usage alter column load_id drop not null;
create unique index if not exists usage_of_load on ops.usage (load_id, status);
create unique index if not exists usage_of_reconciliation on ops.usage (reconciliation_id, status);
do $$
begin
    if not exists (select from pg_constraint where conname = 'usage_of_one' and conrelid = 'ops.usage'::regclass) then
        alter table ops.usage add constraint usage_of_one check ((load_id is null) <> (reconciliation_id is null));
    end if;
end $$;
