-- What is wrong and whom it was told. One row from when it is first seen until it has healed, however often it is seen.
create table if not exists ops.alert (
    alert_id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    what text not null,
    first_seen timestamptz not null default now(),
    last_seen timestamptz not null default now(),
    times bigint not null default 1,
    healed_at timestamptz,
    told_wrong text[] not null default '{}',
    told_healed text[] not null default '{}'
);
create unique index if not exists alert_open on ops.alert (kind, subject) where healed_at is null;
comment on table ops.alert is 'One row for each thing that is or was wrong: its kind (drift, freshness), what it is about '
    '(a stream), how often it was seen, when it had healed, and which receivers have heard of either.';

grant select, insert, update on ops.alert to onefold_loader;
grant select on ops.alert to onefold_engineer, onefold_auditor;
