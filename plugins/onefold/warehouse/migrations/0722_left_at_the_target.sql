-- A golden record that no longer meets a target's `where` is said to be left there, and can be deleted.
alter table ops.outbox drop constraint outbox_wanted_check;
alter table ops.outbox add constraint outbox_wanted_check check (wanted in ('write', 'delete', 'leave'));
alter table ops.write_back_plan_row drop constraint write_back_plan_row_change_check;
alter table ops.write_back_plan_row add constraint write_back_plan_row_change_check
    check (change in ('create', 'update', 'delete', 'nothing', 'leave', 'refuse'));
create index outbox_left on ops.outbox (target) where wanted = 'leave';
