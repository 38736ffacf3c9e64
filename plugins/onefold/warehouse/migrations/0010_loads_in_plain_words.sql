-- Tables, columns and states of loads get plain names: answer -> lookup_cache, waiting -> queue, part -> partition,
-- a source's state -> checkpoint, landing's checkpoint -> resume_token, aside -> superseded, final_at -> rollback_until,
-- a rehearsed load -> dry_run.

alter table ops.answer rename to lookup_cache;
alter table ops.lookup_cache rename column question to lookup_key;
alter table ops.answer_given rename to lookup_result;
alter table ops.lookup_result rename column question to lookup_key;
alter index ops.answer_given_by_load rename to lookup_result_by_load;
alter table landing.answer rename to lookup_result;
alter table landing.lookup_result rename column question to lookup_key;
alter index landing.answer_load_id rename to lookup_result_load_id;
alter index landing.answer_question rename to lookup_result_lookup_key;

alter table ops.waiting rename to queue;

alter table ops.stream_state rename to stream_checkpoint;
alter table ops.stream_checkpoint rename column part to partition;
alter table ops.stream_checkpoint rename column state to checkpoint;
alter table landing.checkpoint rename to resume_token;
alter table landing.part rename to partition;
alter table landing.partition rename column part to partition;
alter table landing.partition rename column state to checkpoint;
alter table landing.partition rename column whole_since to snapshot_since;
alter sequence landing.part_place_seq rename to partition_place_seq;

alter table staging.aside rename to superseded;
alter table staging.superseded rename column judged to gated;
alter index staging.aside_by_load rename to superseded_by_load;

alter table ops.load rename column final_at to rollback_until;
alter index ops.load_one_on_its_way rename to load_one_in_progress;
alter table ops.load drop constraint load_state_check;
update ops.load set state = 'dry_run' where state = 'rehearsed';
alter table ops.load add constraint load_state_check
check (state in ('extracting', 'landed', 'gated', 'published', 'rejected', 'rolled_back', 'dry_run'));

update ops.quarantine set expectation = 'readable partition' where suite = 'landing' and expectation = 'readable part';

do $$
declare
    found record;
begin
    -- The constraints, and with them the indexes of primary keys, are named after their table.
    for found in
        select c.conrelid::regclass as renamed, c.conname as was,
            replace(replace(n.now || substr(c.conname, length(n.was) + 1), '_question_', '_lookup_key_'),
                    '_whole_since_', '_snapshot_since_') as is_now
        from (values
            ('ops.lookup_cache', 'answer', 'lookup_cache'),
            ('ops.lookup_result', 'answer_given', 'lookup_result'),
            ('landing.lookup_result', 'answer', 'lookup_result'),
            ('ops.queue', 'waiting', 'queue'),
            ('ops.stream_checkpoint', 'stream_state', 'stream_checkpoint'),
            ('landing.resume_token', 'checkpoint', 'resume_token'),
            ('landing.partition', 'part', 'partition'),
            ('staging.superseded', 'aside', 'superseded')
        ) as n (renamed, was, now)
        join pg_constraint as c on c.conrelid = n.renamed::regclass and starts_with(c.conname, n.was || '_')
    loop
        execute format('alter table %s rename constraint %I to %I', found.renamed, found.was, found.is_now);
    end loop;
    -- What loads in progress have landed.
    for found in
        select c.relname as was, replace(c.relname, '__aside', '__superseded') as is_now
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = 'landing' and c.relkind = 'r' and c.relname ~ '^load_[0-9]+__aside$'
    loop
        execute format('alter table landing.%I rename to %I', found.was, found.is_now);
    end loop;
end $$;
