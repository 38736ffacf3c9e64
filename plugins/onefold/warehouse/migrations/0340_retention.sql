-- Retention: what each run has purged, by store and subject, and how far back past golden records are whole.
create table ops.retention (
    retention_id bigint generated always as identity primary key,
    actor text not null,
    state text not null default 'running' check (state in ('running', 'done', 'interrupted')),
    started_at timestamptz not null default now(),
    ended_at timestamptz
);
create table ops.retention_purge (
    retention_id bigint not null references ops.retention,
    store text not null,
    subject text not null,
    period interval not null,
    rows bigint not null,
    primary key (retention_id, store, subject)
);
create table ops.golden_history (
    entity text primary key,
    whole_since bigint not null references ops.publish (publish_id)
);
