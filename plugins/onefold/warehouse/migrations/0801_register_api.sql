-- The register API (bin/onefold api): who may ask, what it answers from, what it was asked, and whom it tells of changes.
create table ops.api_client (
    client         text primary key check (client ~ '^[a-z][a-z0-9_.-]{1,62}$'),
    scopes         text[] not null check (scopes <@ array['companies', 'people', 'watch']),
    per_second     integer not null check (per_second between 1 and 100000),
    monthly_quota  bigint not null check (monthly_quota >= 0),
    created_at     timestamptz not null default now(),
    created_by     text not null
);
create table ops.api_key (
    key_id       text primary key check (key_id ~ '^[a-z]{12}$'),
    client       text not null references ops.api_client,
    secret_hash  bytea not null check (length(secret_hash) = 32),
    created_at   timestamptz not null default now(),
    created_by   text not null,
    expires_at   timestamptz,
    revoked_at   timestamptz
);
-- What a client has left: its requests of the month, and when the next may come (GCRA).
create table ops.api_allowance (
    client    text primary key,
    month     date not null,
    requests  bigint not null,
    arrival   timestamptz not null
);

-- What the API answers from: one row for each company that is published (refresh_api_companies). What is personal
-- stands in columns of its own.
create table ops.api_company (
    company_id      uuid primary key,
    tax_id_pl       text,
    regon           text,
    krs             text,
    eu_vat          text,
    status          text,
    town_form       text,
    main_activity   text,
    natural_person  boolean not null,
    name_form       text,
    name_form_people text,
    systems         text[] not null,
    content         jsonb not null,
    people          jsonb not null,
    published_at    timestamptz not null
);
create index api_company_by_tax_id on ops.api_company (tax_id_pl) where tax_id_pl is not null;
create index api_company_by_regon on ops.api_company (regon) where regon is not null;
create index api_company_by_krs on ops.api_company (krs) where krs is not null;
create index api_company_by_eu_vat on ops.api_company (eu_vat) where eu_vat is not null;
create index api_company_by_town on ops.api_company (town_form, company_id);
create index api_company_by_activity on ops.api_company (main_activity, company_id);
create table ops.api_shown (
    only_row    boolean primary key default true check (only_row),
    publish_id  bigint
);
insert into ops.api_shown default values;

-- What a register answered when the API asked it: the newest answer to each question. A failed question is never here.
create table ops.api_answer (
    system       text not null,
    stream       text not null,
    lookup_key   text not null,
    outcome      text not null check (outcome in ('found', 'not_found')),
    answered_at  timestamptz not null,
    proof        text,
    content      jsonb not null default '[]',
    people       jsonb not null default '[]',
    primary key (system, stream, lookup_key)
);

-- Every request, before its answer leaves; chained into audit.event in batches (chain_api_requests).
create table ops.api_request (
    number        bigint generated always as identity primary key,
    at            timestamptz not null default clock_timestamp(),
    client        text not null,
    endpoint      text not null,
    company_id    uuid,
    people        boolean not null,
    status        smallint not null,
    milliseconds  integer not null
);
create table ops.api_request_batch (
    first_number  bigint not null,
    last_number   bigint primary key,
    sha256        bytea not null,
    audit_seq     bigint not null
);
create index api_request_by_company on ops.api_request (company_id) where company_id is not null;

alter table ops.usage add column api_client text, add column month date;
alter table ops.usage drop constraint usage_of_one;
alter table ops.usage add constraint usage_of_one
    check (num_nonnulls(load_id, reconciliation_id, api_client) = 1 and (api_client is null) = (month is null));
create unique index usage_of_api_client on ops.usage (api_client, month, system, stream, status) where api_client is not null;

create table ops.api_check (
    check_id         uuid primary key,
    client           text not null references ops.api_client,
    idempotency_key  text not null check (length(idempotency_key) <= 200),
    request_hash     bytea not null,
    numbers          jsonb not null,
    people           boolean not null,
    state            text not null default 'queued' check (state in ('queued', 'done')),
    results          jsonb,
    created_at       timestamptz not null default now(),
    ended_at         timestamptz,
    unique (client, idempotency_key)
);

create table ops.api_watch (
    watch_id    uuid primary key default gen_random_uuid(),
    client      text not null references ops.api_client,
    company_id  uuid not null,
    created_at  timestamptz not null default now(),
    unique (client, company_id)
);
create index api_watch_by_company on ops.api_watch (company_id);
create table ops.api_change (
    change_id   bigint generated always as identity primary key,
    company_id  uuid not null,
    kind        text not null check (kind in ('changed', 'ended')),
    attributes  text[] not null,
    at          timestamptz not null default clock_timestamp()
);
create table ops.api_webhook (
    webhook_id   uuid primary key default gen_random_uuid(),
    client       text not null references ops.api_client,
    url          text not null,
    created_at   timestamptz not null default now(),
    disabled_at  timestamptz
);
create table ops.api_webhook_event (
    webhook_id    uuid not null references ops.api_webhook on delete cascade,
    change_id     bigint not null references ops.api_change on delete cascade,
    attempts      integer not null default 0,
    next_at       timestamptz not null default now(),
    delivered_at  timestamptz,
    last_answer   text,
    primary key (webhook_id, change_id)
);
create index api_webhook_event_due on ops.api_webhook_event (next_at) where delivered_at is null;

create index if not exists beneficial_owner_by_company on conformed.beneficial_owner_version (company_krs);
create index if not exists beneficial_owner_by_person on conformed.beneficial_owner_version (pesel)
    where pesel is not null;
