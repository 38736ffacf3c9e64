-- A whole listing that lacks too much of what is known is refused (load/delete_guard.py); alerts are opened from here.
create table ops.deletes_refused (
    load_id bigint primary key references ops.load (load_id) on delete cascade,
    system text not null,
    stream text not null,
    missing bigint not null,
    known bigint not null,
    at timestamptz not null default now()
);
