-- What each integration costs: prices, budgets, the CPU time of loads and the storage of streams (docs/cost.md).
alter table ops.load add column cpu_seconds numeric(16, 6); -- null: a load of before, whose CPU time nobody measured
alter table ops.load alter column cpu_seconds set default 0;

create table ops.price_list (
    only_row boolean primary key default true check (only_row),
    currency text not null,
    timezone text not null,
    fingerprint text not null,
    actor text not null,
    applied_at timestamptz not null default now()
);
create table ops.price (
    price_id bigint generated always as identity primary key,
    system text,
    kind text not null check (kind in ('requests', 'cpu', 'storage', 'input_tokens', 'output_tokens', 'licence')),
    price numeric not null check (price >= 0),
    valid_from date not null,
    valid_to date check (valid_to >= valid_from),
    check (kind <> 'licence' or system is not null)
);
create index price_of_kind on ops.price (kind, system, valid_from);
create table ops.budget (
    system text primary key,
    month numeric not null check (month > 0),
    alert_at int[] not null
);
create table ops.stream_storage (
    day date not null,
    system text not null,
    stream text not null,
    bytes bigint not null,
    primary key (day, system, stream)
);
-- What was metered of loads and requests that retention has deleted since: a bill of the past does not fall.
create table ops.metered_base (
    day date not null,
    until date not null,
    system text not null,
    stream text,
    kind text not null,
    quantity numeric not null,
    unique nulls not distinct (day, until, system, stream, kind)
);
