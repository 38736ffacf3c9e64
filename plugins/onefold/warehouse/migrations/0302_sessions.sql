-- The tokens of Airflow's API that were issued at a sign-in: a signed token that is not among them is refused.

create table ops.session (
    token_sha256 text primary key,
    subject text not null,
    issued_at timestamptz not null default now(),
    expires_at timestamptz not null
);
comment on table ops.session is 'Who is signed in to Airflow, by hash of the token. The API server alone writes it.';
