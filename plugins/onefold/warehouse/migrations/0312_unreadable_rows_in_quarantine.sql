-- Whether a row in quarantine is stored as text, for those who may not read the rows: engineers plan replays by it.
alter table ops.quarantine add column unreadable boolean generated always as (raw is not null) virtual;
