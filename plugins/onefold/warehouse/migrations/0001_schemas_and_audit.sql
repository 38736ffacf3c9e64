-- Schemas and who may do what in them. Roles are made by install.py (they belong to the server, not the database).
create schema if not exists landing authorization onefold_loader;
create schema if not exists staging authorization onefold_loader;
create schema if not exists mapped authorization onefold_loader;
create schema if not exists conformed authorization onefold_loader;
create schema if not exists marts authorization onefold_loader;
create schema if not exists ops;
create schema if not exists audit;
create schema if not exists lineage;

-- What happened, provably: one row per event, each carrying the SHA-256 of itself and of the row before.
-- How a hash is computed: plugins/onefold/audit/chain.py. Nobody may change a row, and no insert may fork the chain.

create table if not exists audit.event (
    seq           bigint primary key check (seq > 0),
    at            timestamptz not null,
    actor         text not null,
    action        text not null,
    "from"        text,
    "to"          text,
    subject       text not null,
    payload       jsonb not null check (jsonb_typeof(payload) = 'object'),
    result        text not null,
    previous_hash bytea not null check (length(previous_hash) = 32),
    hash          bytea not null check (length(hash) = 32)
);
create index if not exists event_subject on audit.event (subject, seq);

create or replace function audit.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit.event is append-only: % is refused. Append a correcting event instead.', tg_op
        using errcode = 'insufficient_privilege';
end $$;

-- The lock is the one that onefold.audit.append takes (ASCII "onefold"), so that an insert which bypassed it
-- waits for its turn as well, and is then judged against the newest committed row.
create or replace function audit.refuse_fork() returns trigger language plpgsql as $$
declare
    head_seq  bigint;
    head_hash bytea;
begin
    perform pg_advisory_xact_lock(31365104204213348);
    select seq, hash into head_seq, head_hash from audit.event order by seq desc limit 1;
    if new.seq <> coalesce(head_seq, 0) + 1
       or new.previous_hash <> coalesce(head_hash, decode(repeat('00', 32), 'hex')) then
        raise exception 'audit event % does not continue the chain, whose head is %. Use onefold.audit.append.',
            new.seq, coalesce(head_seq, 0)
            using errcode = 'serialization_failure';
    end if;
    return new;
end $$;

create or replace trigger event_append_only
    before update or delete or truncate on audit.event
    for each statement execute function audit.refuse_change();
create or replace trigger event_no_fork
    before insert on audit.event
    for each row execute function audit.refuse_fork();

-- "always": also when session_replication_role is replica.
alter table audit.event enable always trigger event_append_only;
alter table audit.event enable always trigger event_no_fork;
