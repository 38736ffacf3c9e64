-- What was last recorded of the statements that readers send past onefold sql, as PostgreSQL counts them.
create table audit.statement_counter (
    role oid not null,
    query_id bigint not null,
    top_level boolean not null,
    since timestamptz not null,
    plans bigint not null,
    calls bigint not null,
    rows bigint not null,
    primary key (role, query_id, top_level)
);
create table audit.statement_watch (
    only_one boolean primary key default true check (only_one),
    evictions bigint,
    reset_at timestamptz,
    since timestamptz,
    collected_at timestamptz
);
