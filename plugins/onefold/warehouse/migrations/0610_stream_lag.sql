-- How far each stream that is read from a log is behind its end, and how much of the log the source keeps for it (load/stream_lag.py).
create table ops.stream_lag (
    system text not null,
    stream text not null,
    at timestamptz not null default now(),
    position text not null,
    log_end text not null,
    lag_bytes bigint not null,
    lag_seconds double precision,
    retained_bytes bigint not null,
    primary key (system, stream)
);
