-- Adds payment.authorised_amount, adds refund. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table conformed.payment_version add column if not exists authorised_amount numeric;

create table if not exists mapped.refund__identifier (
    record text collate "C" not null,
    _load_id bigint not null,
    refund_key text
);

create table if not exists conformed.refund_version (
    refund_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _winning_members int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid,
    refund_key text,
    payment_record text,
    invoice_number text,
    refunded_on date,
    amount numeric,
    currency text,
    status text,
    reason text
);

create table if not exists conformed.refund_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    refund_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists conformed.refund_provenance (
    _publish_id bigint primary key,
    attributes text[] not null,
    sources jsonb not null
);
alter table mapped.refund__identifier owner to onefold_loader;
alter table conformed.refund_version owner to onefold_loader;
alter table conformed.refund_crosswalk_version owner to onefold_loader;
alter table conformed.refund_provenance owner to onefold_loader;
