-- Retention by class: of which class the values were that a run erased; empty: whole rows were deleted or emptied.
alter table ops.retention_purge add column data_class text not null default '';
alter table ops.retention_purge drop constraint retention_purge_pkey;
alter table ops.retention_purge add primary key (retention_id, store, subject, data_class);
