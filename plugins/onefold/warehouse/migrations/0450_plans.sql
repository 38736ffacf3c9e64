-- Plans of what an edited catalogue, suite, transform or mapping would change, before it is applied.
create table ops.plan (
    plan_id bigint generated always as identity primary key,
    state text not null default 'planned' check (state in ('planned', 'applied', 'turned_down')),
    fingerprint text not null,
    files jsonb not null,
    warehouse jsonb not null,
    dry_run_publish_id bigint not null references ops.publish,
    publish_id bigint references ops.publish,
    content jsonb not null,
    samples jsonb not null,
    actor text not null,
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz
);
alter table ops.plan owner to onefold_loader;
create table ops.plan_record (
    publish_id bigint not null references ops.publish,
    entity text not null,
    golden_id uuid not null,
    change text not null check (change in ('new', 'changed', 'ended', 'held_back')),
    digest text not null,
    primary key (publish_id, entity, golden_id)
);
alter table ops.plan_record owner to onefold_loader;
