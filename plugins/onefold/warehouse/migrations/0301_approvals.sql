-- Approvals are rows that no role writes: functions check who decides, and about which plan (repeatable/13_approvals.sql).

create table ops.approval (
    approval_id bigint generated always as identity primary key,
    subject text not null,
    dag_id text not null,
    run_id text not null,
    requested_by text,
    plan text not null,
    plan_sha256 text not null,
    content_sha256 text not null,
    requested_at timestamptz not null default now(),
    decision text check (decision in ('approved', 'refused', 'withdrawn')),
    decided_by text,
    decided_at timestamptz
);
create index approval_run on ops.approval (dag_id, run_id, approval_id);
create index approval_subject on ops.approval (subject, approval_id);
comment on table ops.approval is
    'What somebody was, or is, asked to approve. The newest row of a run, and of a subject, counts. Functions alone write it.';
comment on column ops.approval.subject is 'The operation: rollback:41, migration:7.';
comment on column ops.approval.requested_by is 'Who triggered the run, as audit events name people; null when nobody is known.';
comment on column ops.approval.plan is 'The text that is shown.';
comment on column ops.approval.plan_sha256 is 'SHA-256 of that text in UTF-8.';
comment on column ops.approval.content_sha256 is 'SHA-256 of what the operation would do; it is computed again before it is done.';

revoke insert, update on ops.rollback, ops.migration from onefold_loader;
