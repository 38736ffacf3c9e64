-- Retention by class of past golden records: since which publish the values of a class are whole.
create table ops.golden_class_history (
    entity text not null,
    data_class text not null,
    whole_since bigint not null references ops.publish (publish_id),
    primary key (entity, data_class)
);
