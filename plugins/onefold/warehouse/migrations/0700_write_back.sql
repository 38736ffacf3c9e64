-- Write-back: what is to be written into other systems (outbox), and the plans of it, row by row.
create table ops.outbox (
    intent_id bigint generated always as identity primary key,
    idempotency_key text not null unique,
    target text not null,
    object text not null,
    entity text not null,
    golden_id uuid not null,
    publish_id bigint not null,
    wanted text not null check (wanted in ('write', 'delete')),
    reference text not null,
    digest bytea not null,
    state text not null default 'intended'
        check (state in ('intended', 'sent', 'confirmed', 'ambiguous', 'refused', 'superseded')),
    change text check (change in ('create', 'update', 'delete', 'nothing')),
    target_key text,
    sent jsonb,
    attempts int not null default 0,
    reason text,
    created_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    unknown_since timestamptz,
    ended_at timestamptz
);
create index outbox_of_record on ops.outbox (target, object, golden_id, intent_id);
create index outbox_open on ops.outbox (target, state) where state in ('intended', 'sent', 'ambiguous', 'refused');
create index outbox_by_publish on ops.outbox (publish_id);
alter table ops.outbox owner to onefold_loader;
create table ops.write_back_plan (
    plan_id bigint generated always as identity primary key,
    target text not null,
    state text not null default 'planning'
        check (state in ('planning', 'planned', 'executed', 'turned_down', 'superseded')),
    catalog text not null,
    needs_approval boolean,
    counts jsonb not null default '{}',
    dag_id text not null,
    run_id text not null,
    actor text not null,
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz
);
alter table ops.write_back_plan owner to onefold_loader;
create table ops.write_back_plan_row (
    plan_id bigint not null references ops.write_back_plan on delete cascade,
    intent_id bigint not null references ops.outbox on delete cascade,
    object text not null,
    golden_id uuid not null,
    change text not null check (change in ('create', 'update', 'delete', 'nothing', 'refuse')),
    target_key text,
    version text,
    before jsonb not null,
    after jsonb not null,
    replaced jsonb not null,
    asks text[] not null,
    reason text,
    outcome text check (outcome in ('confirmed', 'refused', 'moved', 'ambiguous', 'not_sent')),
    primary key (plan_id, intent_id)
);
create index write_back_plan_row_of_intent on ops.write_back_plan_row (intent_id);
alter table ops.write_back_plan_row owner to onefold_loader;
