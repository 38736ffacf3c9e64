-- What an erasure has left because a law demands it, and until when: retention erases it after that day.
create table ops.kept_by_law (
    erasure_id bigint references ops.erasure,
    system text not null,
    stream text not null,
    _key text collate "C" not null,
    until date,
    since timestamptz not null default now(),
    primary key (system, stream, _key)
);
comment on table ops.kept_by_law is
    'Records in which a person who was erased still stands, because a law demands it. Retention erases it after `until`.';
comment on column ops.kept_by_law.until is 'The last day. Null: the record has no date; it is kept until somebody decides.';
comment on column ops.kept_by_law.erasure_id is 'The erasure that has left it. Null: the record came after one.';
