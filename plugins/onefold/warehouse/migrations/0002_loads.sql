-- The load ledger and everything that is known about loads.

create table if not exists ops.load (
    load_id bigint generated always as identity primary key,
    system text not null,
    stream text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    state text not null default 'extracting'
        constraint load_state_check
        check (state in ('extracting', 'landed', 'gated', 'published', 'rejected', 'rolled_back', 'rehearsed')),
    dag_id text not null,
    run_id text not null,
    actor text not null,
    pages bigint not null default 0,
    rows_read bigint not null default 0,
    rows_new bigint not null default 0,
    rows_changed bigint not null default 0,
    rows_deleted bigint not null default 0,
    rows_quarantined bigint not null default 0,
    verdict text check (verdict in ('passed', 'failed')),
    error text,
    seconds_extracting double precision not null default 0,
    seconds_gating double precision not null default 0,
    seconds_publishing double precision not null default 0,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    check (window_start < window_end)
);
-- At most one load of a stream is on its way: this index is what refuses the second.
create unique index if not exists load_one_on_its_way on ops.load (system, stream)
    where state in ('extracting', 'landed', 'gated');
create index if not exists load_by_run on ops.load (dag_id, run_id);

create table if not exists ops.cursor (
    system text not null,
    stream text not null,
    value text collate "C",
    window_end timestamptz not null,
    load_id bigint not null references ops.load,
    moved_at timestamptz not null default now(),
    primary key (system, stream)
);

create table if not exists ops.gate_result (
    load_id bigint references ops.load,
    publish_id bigint,
    suite text not null,
    position int not null,
    expectation text not null,
    kwargs jsonb not null,
    severity text not null,
    success boolean not null,
    unexpected_rows bigint,
    observed jsonb,
    at timestamptz not null default now(),
    check ((load_id is null) <> (publish_id is null))
);
create unique index if not exists gate_result_of_load on ops.gate_result (load_id, position) where load_id is not null;
create index if not exists gate_result_of_publish on ops.gate_result (publish_id) where publish_id is not null;

create table if not exists ops.quarantine (
    quarantine_id bigint generated always as identity primary key,
    load_id bigint not null references ops.load,
    system text not null,
    stream text not null,
    _key text,
    _hash bytea not null,
    payload jsonb,
    raw text,
    _cursor text collate "C",
    _extracted_at timestamptz not null,
    suite text not null,
    expectation text not null,
    reason text not null,
    state text not null default 'open' check (state in ('open', 'superseded', 'replayed')),
    quarantined_at timestamptz not null default now(),
    closed_at timestamptz,
    closed_by_load bigint references ops.load,
    check ((payload is null) <> (raw is null))
);
create index if not exists quarantine_open on ops.quarantine (system, stream, _key) where state = 'open';

-- What is now ops.contract_change was called ops.drift; that name means what differs from the source (24_drift.sql).
do $$
begin
    if to_regclass('ops.drift') is not null and to_regclass('ops.contract_change') is null then
        alter table ops.drift rename to contract_change;
        alter index ops.drift_pkey rename to contract_change_pkey;
    end if;
end $$;
create table if not exists ops.contract_change (
    load_id bigint not null references ops.load,
    system text not null,
    stream text not null,
    field text not null,
    was text not null,
    is_now text not null,
    rows bigint not null,
    at timestamptz not null default now(),
    primary key (load_id, field)
);

create table if not exists ops.usage (
    load_id bigint not null references ops.load,
    system text not null,
    stream text not null,
    status text not null,
    requests bigint not null,
    bytes bigint not null,
    milliseconds double precision not null,
    quota_used bigint,
    quota_limit bigint,
    primary key (load_id, status)
);

create table if not exists ops.answer (
    system text not null,
    stream text not null,
    question text not null,
    outcome text not null check (outcome in ('found', 'not_found', 'deleted')),
    answered_at timestamptz not null,
    load_id bigint not null references ops.load,
    primary key (system, stream, question)
);
alter table ops.answer add column if not exists proof text;

create table if not exists ops.stream_state (
    system text not null,
    stream text not null,
    part text collate "C" not null,
    state text not null,
    load_id bigint not null references ops.load,
    moved_at timestamptz not null default now(),
    primary key (system, stream, part)
);

create table if not exists ops.rate_limit (
    system text primary key,
    arrivals jsonb not null
);

-- Whose turn it is: which runs have found a stream busy and wait for it.

create table if not exists ops.waiting (
    system text not null,
    stream text not null,
    dag_id text not null,
    run_id text not null,
    since timestamptz not null default now(),
    primary key (system, stream, dag_id, run_id)
);

-- What is wrong and whom it was told. One row from when it is first seen until it has healed, however often it is seen.
create table if not exists ops.alert (
    alert_id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    what text not null,
    first_seen timestamptz not null default now(),
    last_seen timestamptz not null default now(),
    times bigint not null default 1,
    healed_at timestamptz,
    told_wrong text[] not null default '{}',
    told_healed text[] not null default '{}'
);
create unique index if not exists alert_open on ops.alert (kind, subject) where healed_at is null;
