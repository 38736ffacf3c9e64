-- Plain names of comparisons and drift: bucket is the day of the cursor, gone means deleted at the source.
alter table ops.reconciliation rename column how to method;
alter table ops.reconciliation rename column buckets_counted to windows_counted;
alter table ops.reconciliation rename column gone to deleted;
alter table ops.reconciliation rename constraint reconciliation_how_check to reconciliation_method_check;
alter table ops.drift rename column bucket to cursor_day;
alter table ops.drift drop constraint drift_kind_check;
update ops.drift set kind = 'deleted' where kind = 'gone';
alter table ops.drift add constraint drift_kind_check check (kind in ('missing', 'changed', 'deleted'));
