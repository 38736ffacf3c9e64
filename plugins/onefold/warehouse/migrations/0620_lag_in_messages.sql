-- A queue counts messages and no bytes, and keeps nothing for one reader: what a source does not count is NULL (load/stream_lag.py).
alter table ops.stream_lag add column lag_messages bigint;
alter table ops.stream_lag alter column lag_bytes drop not null;
alter table ops.stream_lag alter column retained_bytes drop not null;
