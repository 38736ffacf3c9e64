-- What was asked of the warehouse, without its literals; who asked it, when, and how many rows came, is in audit.event.
create table audit.statement (
    sha256 bytea primary key check (length(sha256) = 32),
    text text not null,
    first_seen timestamptz not null default clock_timestamp()
);
comment on table audit.statement is
    'Statements that were asked through onefold sql, with ? for every literal; audit.event read.begin names the hash.';
