-- The state of a publish that only shows what would become of the golden records: rehearsed is now called dry_run.
alter table ops.publish drop constraint publish_state_check;
update ops.publish set state = 'dry_run' where state = 'rehearsed';
alter table ops.publish add constraint publish_state_check
    check (state in ('building', 'published', 'rejected', 'failed', 'dry_run'));
