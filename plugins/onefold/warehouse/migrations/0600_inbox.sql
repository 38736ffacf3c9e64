-- What webhooks bring: stored before the sender is answered, read by loads, emptied by age (bin/onefold hooks).
create schema inbox;
create table inbox.event (
    system      text not null,
    stream      text not null,
    sequence    bigint generated always as identity,
    event_id    text not null check (length(event_id) <= 200),
    received_at timestamptz not null default clock_timestamp(),
    headers     jsonb not null,
    body        bytea not null,
    primary key (system, stream, sequence),
    unique (system, stream, event_id)
);
