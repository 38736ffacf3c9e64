-- What the tables and columns mean. Those of the entities are generated (5x_conformed__*.sql).

comment on table audit.event is
    'Append-only, SHA-256-chained record of who read or wrote what, when, from where, with which result. '
    'Check it with: onefold audit verify';
comment on table ops.load is 'One row per attempt to bring one window of one stream; its states in order: '
    'extracting, landed, gated, then published, rejected or rolled_back; or dry_run, which publishes nothing.';
comment on table ops.cursor is 'How far each stream has been published: the greatest cursor value seen (source clock) '
    'and the end of the last window (our clock). Moves only in the transaction that publishes the rows.';
comment on column ops.quarantine.attribute is 'NULL: the whole record waits. Else the one attribute (entity.attribute, or a '
    'field that no mapping reads) whose value is withheld; the record itself is in staging, without this value in mapped.';
comment on column ops.quarantine.value_kind is 'What kind of value is withheld, without the value.';
comment on column ops.quarantine.allowed is 'What would be allowed instead of the withheld value.';
comment on column ops.load.values_withheld is 'How many values of the published records are withheld (ops.quarantine.attribute).';
comment on column ops.quarantine.raw is 'The record as text where PostgreSQL cannot hold it as jsonb.';
comment on column ops.quarantine.key_conflict is 'The load brought another row with this key and nothing says which is newer: both wait.';
comment on column ops.load.rows_conflicting is 'Of rows_quarantined, how many stand under one key with a different row.';
comment on table ops.hypercare is 'New streams, entities and mapping versions in their first weeks: since when, until when, and who has '
    'signed for each.';
comment on table ops.hypercare_message is 'Digests and reports of hypercare, one of a kind a day for each who has signed; notified: the '
    'receivers that have had it.';
comment on table ops.usage is 'What a load asked of a system: requests, bytes and time by HTTP status (or error class).';
comment on table ops.new_field is 'Fields that a source has added and that its YAML did not name then, each as it was first met; '
    'no values.';
comment on table ops.deletes_refused is 'Loads whose listing lacked so many of the known records that nothing was deleted '
    '(deletes.max_share in the stream''s YAML); a person accepts them by number.';
comment on table ops.lookup_cache is 'The cache of what systems answered that are asked one value (lookup_key) at a time; '
    'a failed read is never here.';
comment on column ops.lookup_cache.proof is 'The source''s own number of the request, where it gives one: that we asked, and what was said.';
comment on table ops.stream_checkpoint is 'Where the source itself says that the next load continues (a delta link), by partition of the '
    'stream. Moves '
    'only in the transaction that publishes the rows; without it a stream is read anew, whole.';
comment on table ops.stream_lag is 'How far each stream that is read from a log or a queue was behind its end at the last look at it: '
    'before a load reads, and after it is published.';
comment on column ops.stream_lag.position is 'The stream was published up to there, as its source writes positions.';
comment on column ops.stream_lag.lag_bytes is 'From there to log_end; the log is the whole server''s, not one table''s. NULL: the source counts no bytes.';
comment on column ops.stream_lag.lag_messages is 'Messages from there to log_end; NULL: the source counts none.';
comment on column ops.stream_lag.lag_seconds is 'How long ago the log ended at the position, by the source''s clock; NULL: unknown.';
comment on column ops.stream_lag.retained_bytes is 'What the source kept of its log because the stream had not confirmed it; NULL: it keeps what it keeps for nobody.';
comment on column ops.stream_checkpoint.since_load is 'The load that has read the whole stream last: the position was reached '
    'from there, step by step, by the loads up to load_id.';
comment on table ops.source_slot is 'Replication slots that Onefold has made at sources and not dropped: each keeps its '
    'server''s log until it is read or dropped (bin/onefold slots).';
comment on table ops.delivery is 'One row per attempt to deliver to another warehouse, to verify it or to try it out '
    '(catalog/warehouses); its number is that of the delivery at the target.';
comment on column ops.delivery.mode is 'changes: what changed since the last delivery; full: every row compared; verify: only '
    'compared; conformance: only tried out.';
comment on column ops.delivery.publish_id is 'The newest publish that the target''s readers see by it.';
comment on column ops.delivery.read_at is 'The instant of this warehouse that was delivered.';
comment on column ops.delivery.tables is 'By stored table: rows written, rows in all, checksum (the same there and here).';
comment on table ops.rate_limit is 'When each of a system''s rate limits lets the next request through (GCRA, epoch seconds): '
    'shared by every process that talks to the system.';
comment on table ops.queue is 'Runs that bring fresh data and found their stream busy. A backfill lets them go first; a '
    'row goes when its run begins its load, is over, or has not looked after the stream for limits.idle_run.';
comment on column ops.queue.last_seen is 'When the run last found the stream busy; it looks every few seconds.';
comment on column ops.load.last_active is 'When the load last got on, or an attempt at it failed.';
comment on table ops.alert is 'One row for each alert from its opening until it is resolved: its kind (drift, freshness), its '
    'subject (a stream), how often it was seen, and which receivers were notified of it when it opened and when it was resolved.';
comment on column ops.load.fields_fingerprint is 'SHA-256 of the fields in the stream''s YAML by which the gate judged the load: '
    'names, paths, types, required. NULL: it has not passed the gate, or did before this was recorded.';
comment on column ops.load.rejected_in is
    'In which state a rejected load was: extracting (the source was not read to its end), landed or gated.';
comment on column ops.load.cursor_value is 'The greatest cursor that the load itself read.';
comment on column ops.load.rollback_until is 'From then on the load cannot be rolled back. Loads that were published before rollbacks '
    'were possible have none and are final.';
comment on table staging.superseded is 'What loads read and staging does not show: late readings, readings that differ in nothing '
    'that counts, and what loads that were rolled back had written.';
comment on table staging.change is 'All changes that one load has read of a record, of streams with versions: every_change, '
    'where there was more than one; staging.<system>__<stream>__changes shows those of published loads and all versions.';
comment on column staging.superseded.gated is 'Whether the gate has seen it; suite, expectation and reason say why it was refused.';
comment on table staging.unchanged is 'The keys of records that a load read just as they stood in staging, with the load that '
    'had written each; in buckets of the keys'' hash, because arrays are compressed and rows are not.';
comment on table ops.lookup_result is 'What each load was answered by lookup_key, while one of these loads may still be rolled back.';
comment on column ops.quarantine.reopened_of_load is 'The load that had superseded this row, and was rolled back.';
comment on table ops.erasure is 'One row per erasure of a person: on which basis, who approved it, what it erased (tables, '
    'fields, rows, keys; no values), and what a law keeps.';
comment on column ops.erasure.privacy_case is 'The case file outside the database that names the person until the erasure is done.';
comment on column ops.erasure.touched is 'The tables of which something was erased; their files are written anew.';
comment on table ops.suppression is 'What was erased and may not come in again: records by key, values as HMACs, whose key is a '
    'file outside the database.';
comment on table ops.rollback is 'One row per rollback of published loads, and per undo of one (undoes).';
comment on table ops.replay is 'One row per replay of quarantined rows; ended once every row that it selected has an outcome.';
comment on column ops.replay.verdict is 'running; complete: no row was refused; partly refused; all refused: every row came back, nothing was mended.';
comment on column ops.replay.selection is 'How the rows were selected: system, stream, expectation, times, mapping version.';
comment on column ops.replay.not_replayable is 'What matched the selection and cannot be replayed, by stream and reason, and why not.';
comment on table ops.replay_row is 'Every row that a replay selected. refused: the gate refused it again; the new row of '
    'ops.quarantine names the same load. superseded: a newer or equal version of the record had been published or gated.';
comment on column ops.replay_row.load_id is 'The replay''s load that gated the row; NULL where none did.';
comment on column ops.quarantine.mapping_versions is 'The version of each entity''s mapping by which the row was judged; NULL '
    'where no entity is made of the stream, or where nothing could be judged.';
comment on column ops.quarantine.state is 'open: it waits. superseded: something newer of the record came. replayed: a replay '
    'judged it again (closed_by_load); ops.replay_row says with which outcome.';
comment on table ops.reconciliation is 'One row per comparison of a stream with its source: its method (keys: records were '
    'read; counts: the source counted first, and only windows that differ were read), what it found, and why it was skipped.';
comment on table ops.drift is 'The records that differ from their source now: missing (there and not here), changed (newer '
    'there), deleted (here, and no longer there). since: since when, by the cursor where it tells, else when it was first seen. '
    'cursor_day: the UTC day of its cursor. A row is deleted when its record agrees again.';
comment on table ops.migration is 'One row per historical migration. planned: its chunks are read and gated; dry_run: it '
    'waits for approval; approved: its chunks are being published; then published, refused by a person, or failed.';
comment on column ops.migration_chunk.dry_run_load is 'The load that read the chunk and was judged; null until then.';
comment on column ops.migration_chunk.load_id is 'The load that published it; null until then.';
comment on column ops.migration_chunk.counted is 'How many records the source counted in it before and after it was '
    'read, and how many were read; null where the source cannot count.';
comment on column lineage.event.delivered_at is
    'When an external receiver (OPENLINEAGE_URL, OPENLINEAGE_CONFIG) got it; null while none has.';
comment on column lineage.event.attempts is 'Failed deliveries: the least-tried go first, so one bad event blocks none.';
comment on table ops.mapping is 'Written from catalog/entities by every conform run; a row whose valid_to is null is in force.';
comment on column ops.mapping.trust_rank is '1 is trusted first among the systems that give the attribute.';
comment on column ops.mapping.hash is 'SHA-256 of the rule as SQL and of what is written here: it changes when the meaning may have.';
comment on table ops.publish is 'One row per conform run that had something to do. rejected: the gate refused the candidates; '
    'failed: it crashed or dbt failed. The loads of both are taken in by the next run. dry_run: nothing was published.';
comment on column ops.publish.mappings is 'The fingerprint of each entity''s mapping; ops.mapping has the rules.';
comment on column ops.publish_load.undone is 'The load was rolled back after a publish had taken it in: this run takes it out.';
comment on column ops.publish_load.outdated is 'The rollback of another load has since changed which versions this load has, or an '
    'entity that it feeds was refused: the next run takes it in again.';
comment on table ops.held_back is 'The golden records whose new state is not published now, because it fails the suite of the '
    'entity: they stay as they were published, or unpublished. Each conform of the entity judges them again.';
comment on column ops.held_back.publish_id is 'The publish that judged it last; since_publish_id is the first that held it back.';
comment on column ops.held_back.published is 'Whether an earlier state of it is published.';
comment on column ops.held_back.expectations is 'The critical expectations that its new state fails; empty where it only '
    'goes with another one that does.';
comment on column ops.held_back.suite is 'A fingerprint of the suite by which it was judged: another one, and it is judged again.';
comment on column ops.held_back.records is 'Its source records, published and new (system|stream|key).';
comment on table ops.golden_record_warning is 'The expectations of severity warning that golden records fail, from the publish that '
    'found it until the one that ended it.';
comment on table ops.published is 'The publish that analysts see, per entity; all rows move in one transaction.';
comment on column ops.identity_conflict.reason is 'ambiguous: the value stands in records of several entities; it belongs to '
    'the one that the most trusted system names, or to none. several_values: an entity, joined by a more authoritative identifier, holds several values of this one.';

comment on table ops.country_name is 'What countries are called, folded (capitals, no accents, blanks or signs), and their codes; to ISO alpha-2.';
comment on table ops.phone_region is 'What is dialled in a country before a national and before an international number.';
comment on table ops.phone_calling_code is 'Each calling code, the region that has it first, and how many digits may follow it.';
comment on table ops.phone_plan is 'Numbering plans: of the numbers with so many digits after the calling code, the first three digits.';
comment on table ops.postal_code_form is 'The shapes of a country''s postal codes without separators (9 a digit, A a letter), and how they are written out.';
comment on table ops.retention is 'Runs of retention: each deletes what catalog/privacy.yaml and the streams say is kept no longer.';
comment on table ops.retention_purge is 'How many rows a run deleted (or emptied of content), by store and subject, and the period that was said.';
comment on column ops.retention_purge.data_class is 'The class whose values were erased in the rows, which stay. Empty: the rows were deleted, or emptied of all content.';
comment on table ops.golden_class_history is 'Since which publish the values of a class are whole in an entity''s golden records; an older publish is shown without them.';
comment on table ops.golden_history is 'Since which publish an entity''s golden records are whole; an older publish can no longer be shown.';

comment on table ops.plan is 'One row per plan of a change of the catalogue (bin/onefold plan). planned: it can be applied '
    'while nothing has moved; applied: by publish_id, where there was anything to publish; turned_down: by another person.';
comment on column ops.plan.files is 'SHA-256 of every file that people write, by path: the catalogue that was planned.';
comment on column ops.plan.warehouse is 'What it was computed against: newest publish, loads to take in, erasures, migration.';
comment on column ops.plan.samples is 'Some golden records, by entity and kind of change; personal values are masked.';
comment on table ops.plan_record is 'What an open plan says of each golden record: apply publishes just that. Deleted with it.';
comment on table ops.outbox is 'One row per golden record and version that is to be written into another system (catalog/targets). '
    'intended, by the publish that changed it; sent, committed before the request leaves; confirmed, read back as it was sent; '
    'ambiguous: nobody knows, the target is searched; refused: waits for somebody and a replay; superseded by a newer version.';
comment on column ops.outbox.idempotency_key is 'Hash of target, object, golden record, version and the catalogue''s entry.';
comment on column ops.outbox.reference is 'What is written into the target''s record, by which it is found there.';
comment on column ops.outbox.digest is 'Of all that decides what the record is given: the same again causes no intent. Empty of older versions.';
comment on column ops.outbox.target_system is 'The system whose records are written: with target_stream and target_key it is a record of the crosswalk.';
comment on column ops.outbox.sent is 'The fields that were sent, until it is known what became of them. Personal.';
comment on table ops.write_back_plan is 'Plans of what a write-back would do, computed from what the target has.';
comment on column ops.write_back_plan.reason is 'Why it was closed without being executed.';
comment on column ops.write_back_plan.catalog is 'Hash of the target''s catalogue file: with another one the plan is not executed.';
comment on table ops.write_back_plan_row is 'One row per record of a plan: the fields that change, before and after. Personal.';
comment on column ops.write_back_plan_row.replaced is 'By field, the characters that the target does not have, each with what is written in its place.';
comment on column ops.write_back_plan_row.shown is 'By field the values before and after, of what is not personal.';
comment on column ops.write_back_plan_row.asks is 'The fields of which a person decides whether they are replaced (rule ask).';
comment on schema inbox is 'What senders have posted to bin/onefold hooks, and what was taken from queues.';
comment on table inbox.event is 'Webhooks as they were sent: signed, and stored before the sender was answered. Append-only; emptied '
    'by age, and never before the loads that have read them are past their rollback.';
comment on column inbox.event.sequence is 'Rises in the order of the commits (inbox.store), with gaps; how far a stream has read it '
    'is in ops.stream_checkpoint.';
comment on column inbox.event.event_id is 'The sender''s own id of the event; else sha256: and the digest of the body.';
comment on column inbox.event.headers is 'Those that say something of the event; no signature and no secret.';
comment on table ops.llm_call is 'One row per call of a language model: what was reserved of the budget, and the tokens and cost that it came to. '
    'The tokens of a system and a day are the sums of input_tokens and output_tokens by system and (reserved_at at time zone ''UTC'')::date.';
comment on column ops.llm_call.system is 'The integrated system that the question was about.';
comment on column ops.llm_call.provider is 'The Airflow connection of the provider that was asked.';
comment on column ops.llm_call.state is 'reserved until it has ended; a reservation counts until expires_at. answered; refused: by the provider; '
    'unanswered: nobody knows, so all that was reserved counts; not_sent: nothing counts.';
comment on column ops.llm_call.cost is 'By the prices of the provider''s connection; empty where it has none.';
comment on column ops.llm_call.estimated is 'The provider did not say what was used: what was reserved counts.';
comment on table ops.llm_answer is 'Answers of language models that were accepted, by the SHA-256 of the prompt and the models: the same is not asked twice.';
