-- Landing is transient: unlogged, so that a crash of the server empties it. The checkpoint is unlogged too and so
-- vanishes together with the pages it speaks of; a load whose checkpoint is gone starts again (load/steps.py).
create unlogged table if not exists landing.checkpoint (
    load_id bigint primary key,
    token text,
    complete boolean not null default false,
    gated boolean not null default false
);
create unlogged table if not exists landing.answer (
    load_id bigint not null,
    question text not null,
    outcome text not null,
    answered_at timestamptz not null
);
alter table landing.answer add column if not exists proof text;
-- A migration may hold a whole register's answers here until it is approved.
create index if not exists answer_load_id on landing.answer (load_id);
create index if not exists answer_question on landing.answer (question);
create unlogged table if not exists landing.unreadable (
    load_id bigint not null,
    raw text not null,
    reason text not null,
    _hash bytea not null,
    _extracted_at timestamptz not null
);
create unlogged table if not exists landing.part (
    load_id bigint not null,
    place bigint generated always as identity,
    part text not null,
    state text,
    whole_since timestamptz
);
alter table landing.part add column if not exists refused text;
alter table landing.part owner to onefold_loader;
alter table landing.checkpoint owner to onefold_loader;
alter table landing.answer owner to onefold_loader;
alter table landing.unreadable owner to onefold_loader;

-- The shadow: where loads of a dry run are mapped and resolved, invisible to analysts (conform/dry_run.py).
create schema if not exists shadow_staging authorization onefold_loader;
create schema if not exists shadow_mapped authorization onefold_loader;

-- Warehouses that were made before there were rehearsals.
do $do$
begin
    if (select pg_get_constraintdef(oid) not like '%rehearsed%' from pg_constraint
        where conrelid = 'ops.load'::regclass and conname = 'load_state_check') then
        alter table ops.load drop constraint load_state_check, add constraint load_state_check
            check (state in ('extracting', 'landed', 'gated', 'published', 'rejected', 'rolled_back', 'rehearsed'));
    end if;
end $do$;
