-- What makes a published load reversible: what loads read and did not write, and what each gave to the cursor and to
-- the answers. How it is used: onefold/rollback.

alter table ops.load add column if not exists cursor_value text collate "C";
alter table ops.load add column if not exists moved_cursor boolean not null default false;
alter table ops.load add column if not exists final_at timestamptz;
-- Those are final together; the newest of them stands for what they all gave to the cursor.
update ops.load set cursor_value = cursor.value, moved_cursor = true from ops.cursor
where cursor.load_id = load.load_id and load.final_at is null and load.cursor_value is null;

-- A reading is kept aside when it was not written only because of the version (or the row in quarantine) that was there
-- before it: without that one it would have been.
create table if not exists staging.aside (
    system text not null,
    stream text not null,
    _key text collate "C" not null,
    _hash bytea not null,
    _payload jsonb not null,
    _cursor text collate "C",
    _deleted boolean not null,
    _load_id bigint not null,
    _extracted_at timestamptz not null,
    judged boolean not null,
    suite text,
    expectation text,
    reason text,
    primary key (system, stream, _key, _load_id)
);
create index if not exists aside_by_load on staging.aside (system, stream, _load_id);

create table if not exists staging.unchanged (
    system text not null,
    stream text not null,
    bucket int not null,
    _load_id bigint not null,
    held_load bigint not null,
    keys text[] collate "C" not null,
    extracted_at timestamptz[] not null,
    primary key (system, stream, bucket, _load_id, held_load)
);
create index if not exists unchanged_by_load on staging.unchanged (system, stream, _load_id);

alter table staging.aside owner to onefold_loader;
alter table staging.unchanged owner to onefold_loader;

create table if not exists ops.answer_given (
    system text not null,
    stream text not null,
    question text not null,
    load_id bigint not null references ops.load,
    outcome text not null,
    answered_at timestamptz not null,
    proof text,
    primary key (system, stream, question, load_id)
);
create index if not exists answer_given_by_load on ops.answer_given (load_id);

alter table ops.quarantine add column if not exists reopened_of_load bigint references ops.load;
do $do$
begin
    if not exists (select from pg_constraint where conrelid = 'ops.quarantine'::regclass and conname = 'quarantine_state_check'
                   and pg_get_constraintdef(oid) like '%rolled_back%') then
        alter table ops.quarantine drop constraint if exists quarantine_state_check;
        alter table ops.quarantine add constraint quarantine_state_check
            check (state in ('open', 'superseded', 'replayed', 'rolled_back'));
    end if;
end $do$;

create table if not exists ops.rollback (
    rollback_id bigint generated always as identity primary key,
    loads bigint[] not null,
    reason text not null,
    state text not null default 'planned' check (state in ('planned', 'done', 'undone', 'refused')),
    undoes bigint references ops.rollback,
    actor text not null,
    approved_by text,
    plan jsonb not null,
    outcome jsonb,
    error text,
    planned_at timestamptz not null default now(),
    ended_at timestamptz
);
