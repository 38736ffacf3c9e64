-- What the metrics' counters had counted of loads and requests that retention has deleted since: a counter never falls.
create table ops.stream_counter_base (
    system            text not null,
    stream            text not null,
    loads_published   bigint not null default 0,
    loads_rejected    bigint not null default 0,
    rows_read         bigint not null default 0,
    rows_written      bigint not null default 0,
    rows_quarantined  bigint not null default 0,
    requests          bigint not null default 0,
    bytes             bigint not null default 0,
    primary key (system, stream)
);
