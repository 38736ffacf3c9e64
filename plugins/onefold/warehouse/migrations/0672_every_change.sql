-- Every change that one load has read of a record, for streams that store them all (versions: every_change; load/changes.py).
create table staging.change (
    system text not null,
    stream text not null,
    _key text collate "C" not null,
    _load_id bigint not null references ops.load,
    _number int not null,
    _hash bytea not null,
    _payload jsonb not null,
    _cursor text collate "C",
    _deleted boolean not null,
    _extracted_at timestamptz not null,
    primary key (system, stream, _key, _load_id, _number)
);
create index change_by_load on staging.change (system, stream, _load_id);
create index change_of_load on staging.change (_load_id);
alter table staging.change owner to onefold_loader;
