-- The anchored heads of the audit chain, in one place for all machines; each keeps a copy in a file (audit/anchoring.py).
create table audit.anchor (
    seq         bigint primary key,
    hash        bytea not null,
    at          timestamptz not null,
    checkpoint  text not null,
    link        bytea not null
);
comment on table audit.anchor is
    'Anchored heads of the audit chain, oldest first. Rows are added and never changed; each is linked to the one before.';
comment on column audit.anchor.checkpoint is 'The signed note over all events up to it; empty: from before there were any.';
comment on column audit.anchor.link is
    'SHA-256 of the link before (nothing for the first), seq, hash in hex and checkpoint, with line feeds between the last.';

create or replace function audit.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit.% is append-only: % is refused. Append a correcting event instead.', tg_table_name, tg_op
        using errcode = 'insufficient_privilege';
end $$;

-- Before an anchor is inserted, by whomever: its event must be in the chain with its hash, and it the newest.
create function audit.link_anchor() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    newest  record;
begin
    perform pg_advisory_xact_lock(x'616e63686f72'::bigint); -- ASCII "anchor", as audit/anchor_store.py takes it
    select seq, link into newest from audit.anchor order by seq desc limit 1;
    if newest.seq >= new.seq then
        raise exception 'The anchor of audit event % comes after that of event %.', new.seq, newest.seq
            using errcode = 'serialization_failure';
    end if;
    select event.at into new.at from audit.event where event.seq = new.seq and event.hash = new.hash;
    if not found then
        raise exception 'Audit event % is not in the chain with the hash of this anchor.', new.seq
            using errcode = 'integrity_constraint_violation';
    end if;
    new.link := sha256(coalesce(newest.link, ''::bytea)
        || convert_to(new.seq || E'\n' || encode(new.hash, 'hex') || E'\n' || new.checkpoint, 'UTF8'));
    return new;
end $$;

create trigger anchor_append_only before update or delete or truncate on audit.anchor
    for each statement execute function audit.refuse_change();
create trigger anchor_link before insert on audit.anchor
    for each row execute function audit.link_anchor();
alter table audit.anchor enable always trigger anchor_append_only;
alter table audit.anchor enable always trigger anchor_link;
