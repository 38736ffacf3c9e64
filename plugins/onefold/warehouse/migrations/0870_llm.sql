-- Language models (off by default): each call with its reservation, its use and its cost, and the answers that were accepted.
create table ops.llm_call (
    call_id          bigint generated always as identity primary key,
    purpose          text not null check (purpose in ('mapping', 'explain')),
    system           text not null,
    provider         text not null,
    model            text not null,
    prompt_sha256    bytea not null check (length(prompt_sha256) = 32),
    actor            text not null,
    state            text not null default 'reserved'
                     check (state in ('reserved', 'answered', 'refused', 'unanswered', 'not_sent')),
    reserved_tokens  bigint not null check (reserved_tokens >= 0),
    reserved_cost    numeric check (reserved_cost >= 0),
    input_tokens     bigint not null default 0 check (input_tokens >= 0),
    output_tokens    bigint not null default 0 check (output_tokens >= 0),
    cost             numeric check (cost >= 0),
    currency         text check (currency ~ '^[A-Z]{3}$'),
    estimated        boolean not null default false,
    reserved_at      timestamptz not null default clock_timestamp(),
    expires_at       timestamptz not null,
    ended_at         timestamptz,
    check ((state = 'reserved') = (ended_at is null)),
    check (currency is not null or (cost is null and reserved_cost is null))
);
create index llm_call_by_time on ops.llm_call (reserved_at);

create table ops.llm_answer (
    prompt_sha256  bytea primary key check (length(prompt_sha256) = 32),
    provider       text not null,
    model          text not null,
    answer         text not null,
    answered_at    timestamptz not null default now()
);
