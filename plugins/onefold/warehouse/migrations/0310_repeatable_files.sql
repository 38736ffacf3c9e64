-- Which repeatable files were applied, one row a file, so that `up` runs no more of them than it must.

drop table ops.schema_repeatable;
create table ops.schema_repeatable (
    name text primary key,
    sha256 text not null,
    engine_version text not null,
    applied_at timestamptz not null default now()
);
comment on table ops.schema_repeatable is
    'The functions, comments, views and grants as they were applied last, one row per file.';
