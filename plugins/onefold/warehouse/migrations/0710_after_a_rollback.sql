-- Write-back finds the publishes that took a rollback in; intents are read in their order, however many wait, and what
-- did not go through is listed, beside millions that did. A plan's row says what everybody who sees plans may read.
create index publish_load_undone on ops.publish_load (publish_id) where undone;
drop index ops.outbox_open;
create index outbox_open on ops.outbox (target, state, intent_id)
    where state in ('intended', 'sent', 'ambiguous', 'refused');
create index write_back_plan_by_target on ops.write_back_plan (target, plan_id);
create index write_back_plan_waiting on ops.write_back_plan (target, plan_id) where state in ('planning', 'planned');
alter table ops.write_back_plan_row add column shown jsonb not null default '{}';
create index write_back_plan_row_does on ops.write_back_plan_row (plan_id, intent_id) include (outcome)
    where change <> 'nothing';
