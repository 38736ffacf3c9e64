-- Erasure of a person: the cases, and what was erased and may not come in again (HMACs; their key is outside the database).
create table ops.erasure (
    erasure_id bigint generated always as identity primary key,
    basis text not null,
    privacy_case text not null,
    state text not null default 'planned'
        constraint erasure_state_check check (state in ('planned', 'executing', 'done', 'refused')),
    dag_id text,
    run_id text,
    actor text not null,
    approved_by text,
    plan jsonb not null,
    outcome jsonb,
    touched text[] not null default '{}',
    error text,
    planned_at timestamptz not null default now(),
    ended_at timestamptz
);
create index erasure_by_run on ops.erasure (dag_id, run_id);

create table ops.suppression (
    erasure_id bigint not null references ops.erasure,
    kind text not null
        constraint suppression_kind_check check (kind in ('record', 'email', 'pesel', 'phone', 'name')),
    system text,
    stream text,
    _key text collate "C",
    hmac bytea,
    since timestamptz not null default now(),
    check ((kind = 'record') = (hmac is null)),
    check ((kind = 'record') = (num_nonnulls(system, stream, _key) = 3)),
    unique nulls not distinct (kind, system, stream, _key, hmac)
);
create index suppression_by_erasure on ops.suppression (erasure_id);
