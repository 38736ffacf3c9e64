-- Fields that a source has added and its YAML does not name: told once, until they are declared or ignored.
create table ops.new_field (
    system text not null,
    stream text not null,
    field text not null,
    type text not null,
    records bigint not null,
    load_id bigint not null,
    first_seen timestamptz not null default now(),
    primary key (system, stream, field)
);
