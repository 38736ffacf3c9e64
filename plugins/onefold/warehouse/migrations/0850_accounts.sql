-- Accounts of people who sign in at the company's identity provider: what their groups allowed at their last sign-in, which
-- personal login and which clients of the register API are theirs, and since when they may no more.
create table ops.account (
    account       text primary key, -- by issuer and subject, as audit events name people
    issuer        text not null,
    subject       text not null,
    duty          text check (duty in ('engineer', 'approver', 'analyst', 'auditor')),
    pii           boolean not null,
    signed_in_at  timestamptz not null default now(),
    login         text unique,
    ended_at      timestamptz,
    ended_by      text,
    unique (issuer, subject),
    check ((ended_at is null) = (ended_by is null))
);
alter table ops.api_client add column account text references ops.account;
