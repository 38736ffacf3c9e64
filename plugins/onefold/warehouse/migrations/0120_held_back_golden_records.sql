-- Golden records that fail their entity's suite are held back by themselves, and warnings are recorded per record.

create table ops.held_back (
    entity text not null,
    golden_id uuid not null,
    publish_id bigint not null references ops.publish,
    since_publish_id bigint not null references ops.publish,
    published boolean not null,
    expectations text[] not null,
    reason text not null,
    suite text not null,
    records text[] not null,
    primary key (entity, golden_id)
);

create table ops.golden_record_warning (
    entity text not null,
    golden_id uuid not null,
    expectation text not null,
    reason text not null,
    publish_id bigint not null references ops.publish,
    ended_publish_id bigint references ops.publish,
    primary key (entity, golden_id, expectation, publish_id)
);
