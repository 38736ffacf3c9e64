-- The mapping that is and was in force: which field of which stream makes which attribute, and through what.
create table if not exists ops.mapping (
    entity text not null,
    attribute text not null,
    system text not null,
    stream text not null,
    fields text[] not null,
    constant text,
    transform text not null,
    mapping_version int not null,
    trust_rank int not null,
    survivorship text not null,
    personal_class text not null,
    hash bytea not null,
    valid_from timestamptz not null default clock_timestamp(),
    valid_to timestamptz check (valid_to >= valid_from),
    primary key (entity, attribute, system, stream, valid_from)
);
create unique index if not exists mapping_in_force on ops.mapping (entity, attribute, system, stream) where valid_to is null;

-- Publishes: which loads each took in, what is published now, and what resolution found contradictory.

create table if not exists ops.publish (
    publish_id bigint generated always as identity primary key,
    state text not null default 'building' constraint publish_state_check
        check (state in ('building', 'published', 'rejected', 'failed', 'rehearsed')),
    actor text not null,
    mappings jsonb not null,
    report jsonb,
    error text,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);
do $do$ -- warehouses that were made before there were rehearsals
begin
    if (select pg_get_constraintdef(oid) not like '%rehearsed%' from pg_constraint
        where conrelid = 'ops.publish'::regclass and conname = 'publish_state_check') then
        alter table ops.publish drop constraint publish_state_check, add constraint publish_state_check
            check (state in ('building', 'published', 'rejected', 'failed', 'rehearsed'));
    end if;
end $do$;

create table if not exists ops.publish_load (
    publish_id bigint not null references ops.publish,
    load_id bigint not null references ops.load,
    undone boolean not null default false,
    primary key (publish_id, load_id)
);
create index if not exists publish_load_by_load on ops.publish_load (load_id, publish_id desc);
alter table ops.publish_load add column if not exists outdated boolean not null default false;

create table if not exists ops.published (
    entity text primary key,
    publish_id bigint not null references ops.publish,
    actor text not null,
    at timestamptz not null default now()
);

create table if not exists ops.identity_conflict (
    conflict_id bigint generated always as identity primary key,
    publish_id bigint not null references ops.publish,
    ended_publish_id bigint references ops.publish,
    entity text not null,
    identifier text not null,
    reason text not null check (reason in ('contested', 'plural')),
    records text[] not null
);
create index if not exists identity_conflict_open on ops.identity_conflict (entity, (records[1]))
    where ended_publish_id is null;
