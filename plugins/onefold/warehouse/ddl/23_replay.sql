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
comment on table ops.replay is 'One row per replay of quarantined rows; ended once every row that it chose is accounted for.';
comment on column ops.replay.choice is 'By what the rows were chosen: system, stream, expectation, times, mapping version.';
comment on column ops.replay.left_out is 'What matched the choice and cannot be replayed, by stream and reason, and why not.';

create table if not exists ops.replay_row (
    replay_id bigint not null references ops.replay,
    quarantine_id bigint not null references ops.quarantine,
    load_id bigint references ops.load,
    outcome text check (outcome in ('published', 'superseded', 'again')),
    primary key (replay_id, quarantine_id)
);
create index if not exists replay_row_by_row on ops.replay_row (quarantine_id);
create index if not exists replay_row_by_load on ops.replay_row (load_id);
comment on table ops.replay_row is 'Every row that a replay chose. again: refused once more; the new row of ops.quarantine names '
    'the same load. superseded: something newer of the record, or just the same, had been published or judged.';
comment on column ops.replay_row.load_id is 'The replay''s load that judged the row; NULL where none did.';

alter table ops.quarantine add column if not exists mapping_versions jsonb;
comment on column ops.quarantine.mapping_versions is 'The version of each entity''s mapping by which the row was judged; NULL '
    'where no entity is made of the stream, or where nothing could be judged.';
comment on column ops.quarantine.state is 'open: it waits. superseded: something newer of the record came. replayed: a replay '
    'judged it again (closed_by_load); ops.replay_row says with which outcome.';

grant select, insert, update on ops.replay, ops.replay_row to onefold_loader;
grant select on ops.replay, ops.replay_row to onefold_engineer, onefold_auditor;
grant select (mapping_versions) on ops.quarantine to onefold_auditor;
