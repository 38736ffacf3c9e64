-- Adds employee_job. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

create table if not exists mapped.employee_job__identifier (
    record text collate "C" not null,
    _load_id bigint not null,
    job_key text
);

create table if not exists conformed.employee_job_version (
    employee_job_id uuid not null,
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
    job_key text,
    employee_record text,
    valid_from date,
    department text,
    division text,
    location text,
    job_title text,
    manager_name text
);

create table if not exists conformed.employee_job_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    employee_job_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists conformed.employee_job_provenance (
    _publish_id bigint primary key,
    attributes text[] not null,
    sources jsonb not null
);
alter table mapped.employee_job__identifier owner to onefold_loader;
alter table conformed.employee_job_version owner to onefold_loader;
alter table conformed.employee_job_crosswalk_version owner to onefold_loader;
alter table conformed.employee_job_provenance owner to onefold_loader;
