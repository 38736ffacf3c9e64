-- The newest loads of a stream are found by an index: what asks for them (status, the console) does not scan all loads.
create index if not exists load_by_stream on ops.load (system, stream, load_id desc);
