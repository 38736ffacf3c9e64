-- What Onefold has made at sources and they keep their log for until it is dropped: replication slots (load/source_slots.py).
create table ops.source_slot (
    system text not null,
    stream text not null,
    slot text not null,
    connection text not null,
    made_at timestamptz not null default now(),
    primary key (system, stream, slot)
);
