-- Replays: which quarantined rows were judged again, why, and what became of each of them.

create table if not exists ops.replay (
    replay_id bigint generated always as identity primary key,
    dag_id text not null,
    run_id text not null,
    actor text not null,
    reason text not null,
    choice jsonb not null,
    left_out jsonb not null,
    chosen bigint not null,
    published bigint,
    superseded bigint,
    again bigint,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    unique (dag_id, run_id),
    check (ended_at is null or chosen = published + superseded + again)
);

create table if not exists ops.replay_row (
    replay_id bigint not null references ops.replay,
    quarantine_id bigint not null references ops.quarantine,
    load_id bigint references ops.load,
    outcome text check (outcome in ('published', 'superseded', 'again')),
    primary key (replay_id, quarantine_id)
);
create index if not exists replay_row_by_row on ops.replay_row (quarantine_id);
create index if not exists replay_row_by_load on ops.replay_row (load_id);

alter table ops.quarantine add column if not exists mapping_versions jsonb;
