-- The first weeks of a new stream, entity or mapping version: what is watched, and what people were told (docs/hypercare.md).
create table ops.hypercare (
    hypercare_id bigint generated always as identity primary key,
    kind text not null check (kind in ('stream', 'entity', 'mapping')),
    name text not null,
    publish_id bigint not null default 0,
    streams text[] not null,
    signed_by text not null default '',
    started_at timestamptz not null,
    first_day date not null,
    last_day date not null check (last_day >= first_day),
    ended_at timestamptz,
    unique (kind, name, publish_id)
);
create table ops.hypercare_message (
    day date not null,
    signed_by text not null,
    kind text not null check (kind in ('digest', 'report')),
    message text not null,
    created_at timestamptz not null default now(),
    notified text[] not null default '{}',
    primary key (day, signed_by, kind)
);
