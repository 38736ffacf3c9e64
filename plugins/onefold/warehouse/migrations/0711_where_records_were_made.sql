-- Of which system and stream the records are that write-back makes: by their keys a golden record's own records are told
-- from those that only we have made, at whatever target.
alter table ops.outbox add column target_system text, add column target_stream text;
create index outbox_of_golden on ops.outbox (golden_id);
