-- Plain names of alerts: an alert is resolved, and receivers are notified when it opens and when it is resolved.
alter table ops.alert rename column what to message;
alter table ops.alert rename column times to occurrences;
alter table ops.alert rename column healed_at to resolved_at;
alter table ops.alert rename column told_wrong to notified_open;
alter table ops.alert rename column told_healed to notified_resolved;
