-- What was delivered to other warehouses (onefold/deliver): one row for each attempt.
create table ops.delivery (
    delivery_id bigint generated always as identity primary key,
    target text not null,
    kind text not null,
    place text not null,
    mode text not null constraint delivery_mode_check check (mode in ('changes', 'full', 'verify', 'conformance')),
    state text not null default 'running'
        constraint delivery_state_check check (state in ('running', 'delivered', 'unchanged', 'verified', 'failed')),
    publish_id bigint references ops.publish,
    dag_id text not null,
    run_id text not null,
    actor text not null,
    rows_written bigint,
    rows_held bigint,
    checksum text,
    tables jsonb not null default '{}',
    read_at timestamptz,
    seconds numeric,
    error text,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);
create index delivery_by_target on ops.delivery (target, delivery_id desc);
