-- Different rows of one key in one load, with nothing to order them, wait in quarantine together and are counted.

alter table ops.quarantine add column if not exists key_conflict boolean not null default false;
alter table ops.load add column if not exists rows_conflicting bigint not null default 0;
