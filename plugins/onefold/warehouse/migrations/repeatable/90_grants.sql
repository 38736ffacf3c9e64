-- Who may do what. Roles are made by install.py: they belong to the server, not to the database.

revoke all on schema public from public;
grant usage on schema ops, audit, lineage to onefold_loader, onefold_engineer, onefold_auditor;
grant usage on schema landing, staging, mapped, dry_run_staging, dry_run_mapped to onefold_engineer;
grant usage on schema conformed, marts to onefold_engineer, onefold_analyst, onefold_auditor;
grant usage on schema ops to onefold_analyst; -- of which they read the mapping alone
grant select on ops.mapping to onefold_analyst;
alter default privileges for role onefold_loader in schema marts grant select on tables to onefold_engineer;

-- Records as their systems sent them, and what is made of them, hold personal values. Engineers may look into the schemas,
-- but read tables there only if they are members of onefold_pii too; of staging all engineers read what is not personal
-- (load/plain_view.py), of conformed the generated files say what.
alter default privileges for role onefold_loader
    in schema landing, staging, mapped, conformed, dry_run_staging, dry_run_mapped
    revoke select on tables from onefold_engineer;
alter default privileges for role onefold_loader in schema landing, staging, mapped, dry_run_staging, dry_run_mapped
    grant select on tables to onefold_pii;
grant select on all tables in schema landing, staging, mapped, dry_run_staging, dry_run_mapped to onefold_pii;
alter default privileges in schema ops, lineage
    grant select on tables to onefold_engineer, onefold_auditor;

-- ops: engineers and auditors read all of it but for records; auditors without their keys too, which may be personal.
grant select on all tables in schema ops to onefold_engineer, onefold_auditor;
revoke select on ops.quarantine from onefold_engineer;
grant select (quarantine_id, load_id, system, stream, _key, _cursor, _extracted_at, suite, expectation, reason, state,
    quarantined_at, closed_at, closed_by_load, reopened_of_load, mapping_versions, attribute, value_kind, allowed, key_conflict,
    unreadable) on ops.quarantine to onefold_engineer;
grant select on ops.quarantine to onefold_pii; -- who is an engineer as well: the schema is theirs
revoke select on ops.quarantine, ops.drift, ops.held_back, ops.identity_conflict, ops.lookup_cache, ops.lookup_result,
    ops.stream_checkpoint from onefold_auditor;
grant select (quarantine_id, load_id, system, stream, _hash, suite, expectation, reason, state, quarantined_at, closed_at,
    closed_by_load, mapping_versions, attribute, value_kind, allowed, key_conflict) on ops.quarantine to onefold_auditor;
grant select (entity, golden_id, publish_id, since_publish_id, published, expectations, reason, suite) on ops.held_back
    to onefold_auditor;
grant select (conflict_id, publish_id, ended_publish_id, entity, identifier, reason) on ops.identity_conflict
    to onefold_auditor;
grant select (system, stream, outcome, answered_at, load_id, proof) on ops.lookup_cache, ops.lookup_result to onefold_auditor;
grant select (system, stream, load_id, moved_at) on ops.stream_checkpoint to onefold_auditor;
grant select (system, stream, kind, cursor_day, since, first_seen, last_seen, reconciliation_id) on ops.drift to onefold_auditor;

grant select, insert, update, delete on ops.load, ops.cursor, ops.gate_result, ops.quarantine, ops.contract_change, ops.usage,
    ops.lookup_cache, ops.lookup_result, ops.stream_checkpoint, ops.queue, ops.drift, ops.deletes_refused,
    ops.new_field, ops.stream_lag, ops.source_slot to onefold_loader;
-- Retention (plugins/onefold/retention) deletes what is due, and says what it has deleted.
grant delete on ops.alert, ops.replay_row, ops.reconciliation, lineage.event, lineage.dataset_edge to onefold_loader;
grant select, insert, update on ops.retention, ops.retention_purge, ops.golden_history, ops.golden_class_history
    to onefold_loader;
grant select on ops.country_name, ops.phone_region, ops.phone_calling_code, ops.phone_plan, ops.postal_code_form to onefold_loader;
grant maintain on ops.lookup_cache, ops.lookup_result to onefold_loader;
grant select, insert, update on ops.rate_limit, ops.alert, ops.replay, ops.replay_row, ops.reconciliation,
    ops.migration_chunk, ops.mapping to onefold_loader;
grant select, insert, update, delete on ops.plan, ops.plan_record, ops.publish, ops.publish_load, ops.published, ops.identity_conflict,
    ops.held_back, ops.golden_record_warning to onefold_loader;
grant select, insert, update, delete on ops.llm_call, ops.llm_answer to onefold_loader;
grant select, insert, update on ops.delivery, ops.stream_counter_base, ops.price_list, ops.stream_storage, ops.metered_base to onefold_loader;
grant select, insert, delete on ops.price, ops.budget to onefold_loader;
grant delete on ops.price_list to onefold_loader;
grant select, insert, update, delete on ops.hypercare, ops.hypercare_message to onefold_loader;
grant execute on function ops.price_day(timestamptz) to onefold_loader;

grant select on staging.unchanged to onefold_engineer;

-- Erasure searches every table, and clears from disk what it has erased (onefold/erasure).
grant select on ops.erasure to onefold_loader;
grant select, insert on ops.suppression to onefold_loader;
-- Plans of a change (onefold/change): samples show what engineers may read; digests are made of all values, personal ones too.
revoke select on ops.plan_record from onefold_engineer, onefold_auditor;
revoke select on ops.plan from onefold_auditor;
grant select (plan_id, state, fingerprint, files, warehouse, dry_run_publish_id, publish_id, content, actor, created_at, ended_at)
    on ops.plan to onefold_auditor;
-- Write-back (onefold/write_back): what is written out holds personal values, and keys of other systems may be personal.
revoke select on ops.outbox, ops.write_back_plan_row from onefold_engineer, onefold_auditor;
grant select (intent_id, idempotency_key, target, object, entity, golden_id, publish_id, wanted, reference, state, change,
    attempts, reason, created_at, sent_at, unknown_since, ended_at, target_system, target_stream) on ops.outbox to onefold_engineer, onefold_auditor;
grant select (target_key) on ops.outbox to onefold_engineer;
grant select (plan_id, intent_id, object, golden_id, change, version, replaced, asks, reason, outcome)
    on ops.write_back_plan_row to onefold_engineer, onefold_auditor;
grant select (target_key, shown) on ops.write_back_plan_row to onefold_engineer;
grant select on ops.outbox, ops.write_back_plan_row to onefold_pii; -- who is an engineer as well
grant select, insert, update, delete on ops.kept_by_law to onefold_loader;
revoke select on ops.kept_by_law from onefold_engineer, onefold_auditor;
grant select (erasure_id, system, stream, until, since) on ops.kept_by_law to onefold_engineer, onefold_auditor;
revoke select on ops.suppression from onefold_engineer, onefold_auditor;
revoke select on ops.erasure from onefold_auditor; -- plans name the keys of records
grant select (erasure_id, basis, state, dag_id, run_id, actor, approved_by, touched, error, planned_at, ended_at)
    on ops.erasure to onefold_auditor;
grant select (erasure_id, kind, system, stream, since) on ops.suppression to onefold_engineer, onefold_auditor;
grant select on all tables in schema ops to onefold_loader;
revoke all on ops.session from onefold_loader; -- who is signed in, by user name, for some hours
grant maintain on ops.load, ops.quarantine, ops.rollback, ops.drift, ops.alert, ops.replay, ops.replay_row, ops.migration,
    ops.migration_chunk, ops.reconciliation, ops.held_back, ops.identity_conflict, ops.golden_record_warning, ops.publish,
    ops.gate_result, ops.contract_change, ops.stream_checkpoint, ops.queue, pg_catalog.pg_statistic to onefold_loader;
grant pg_checkpoint to onefold_loader;
grant execute on function pg_switch_wal(), pg_ls_waldir() to onefold_loader;

-- audit: nobody changes or deletes an event, and only functions of onefold_definer append one (12_audit.sql).
revoke all on audit.event from public, onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor;
grant select on audit.event to onefold_loader, onefold_engineer, onefold_auditor;
-- anchors: the engine adds them; the database refuses what is not of the chain, and whatever changes one.
revoke all on audit.anchor from public, onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor;
grant select on audit.anchor to onefold_loader, onefold_engineer, onefold_auditor;
grant insert (seq, hash, checkpoint) on audit.anchor to onefold_loader;
grant usage on schema audit to onefold_definer;
grant select, insert on audit.event to onefold_definer;
grant maintain on audit.append_lock to onefold_definer;
grant execute on function audit.append(text, text, text, text, text, jsonb, text) to onefold_loader;

-- direct reads (13_statement_reads.sql): the engine says what a statement reads, and neither who has asked it nor how often.
grant select, insert, update, delete on audit.statement_counter, audit.statement_watch to onefold_definer;
grant select on audit.statement_watch to onefold_auditor, onefold_loader;
grant execute on function audit.begin_direct_reads(text), audit.direct_reads(integer), audit.record_direct_reads(jsonb),
    audit.forget_counted_statements(text) to onefold_loader;
grant execute on function audit.direct_reads_missing() to onefold_loader, onefold_engineer, onefold_auditor;

-- approvals: the loader asks, the API server decides (13_approvals.sql); who has approved is a column that neither writes.
grant select on ops.approval, ops.rollback, ops.migration to onefold_loader;
grant delete on ops.rollback to onefold_loader;
do $$
declare
    found record;
begin
    for found in
        select attrelid::regclass as name, string_agg(quote_ident(attname), ', ') as columns
        from pg_attribute where attrelid in ('ops.rollback'::regclass, 'ops.migration'::regclass, 'ops.erasure'::regclass)
            and attnum > 0 and not attisdropped and attname not in ('approved_by', 'approver')
        group by 1
    loop
        execute format('grant insert (%1$s), update (%1$s) on %2$s to onefold_loader', found.columns, found.name);
    end loop;
end $$;
grant usage on schema ops to onefold_definer;
grant select, insert, update on ops.approval to onefold_definer;
grant select, update (approved_by) on ops.rollback, ops.erasure to onefold_definer;
grant select, update (approver, state) on ops.migration to onefold_definer;
grant select, update (state) on ops.plan, ops.write_back_plan to onefold_definer;
grant usage on schema ops, audit to onefold_approvals;
grant select on ops.approval to onefold_approvals;
grant select, insert, delete on ops.session to onefold_approvals;
grant execute on function audit.ask_approval(text, text, text, text, text, text, text) to onefold_loader;
grant execute on function audit.withdraw_approval(text, text) to onefold_loader;
grant execute on function audit.decide_approval(bigint, boolean, text, text, text) to onefold_approvals;

-- inbox: what senders have posted, as they sent it. The receiver (bin/onefold hooks) adds to it and does nothing else;
-- the loader adds what it has taken from queues.
revoke all on schema inbox from public;
grant usage on schema inbox to onefold_receiver, onefold_definer, onefold_loader, onefold_engineer;
grant select, insert on inbox.event to onefold_definer;
grant select, update, delete, maintain on inbox.event to onefold_loader; -- update: an erasure (load/inbox_places.py)
grant select on inbox.event to onefold_pii; -- who is an engineer as well: the schema is theirs
grant execute on function inbox.body_text(bytea) to onefold_loader;
grant execute on function inbox.store(text[], text[], text[], jsonb[], bytea[]) to onefold_receiver, onefold_loader; -- the loader: what a sender could not post

grant select, insert on lineage.event, lineage.dataset_edge to onefold_loader;
grant update (attempts, delivered_at) on lineage.event to onefold_loader;
grant update (load_id) on lineage.dataset_edge to onefold_loader;
grant select on lineage.event, lineage.dataset_edge, lineage.column_edge to onefold_engineer, onefold_auditor;
grant select on lineage.column_edge to onefold_loader;
