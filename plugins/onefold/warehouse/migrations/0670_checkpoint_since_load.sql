-- From which load on a checkpoint was reached step by step: where one of those was rolled back, what follows would lack its changes.
alter table ops.stream_checkpoint add column since_load bigint;
update ops.stream_checkpoint set since_load = load_id;
alter table ops.stream_checkpoint alter column since_load set not null;
