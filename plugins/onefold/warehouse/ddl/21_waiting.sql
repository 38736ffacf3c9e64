-- Whose turn it is: which runs have found a stream busy and wait for it.

create table if not exists ops.waiting (
    system text not null,
    stream text not null,
    dag_id text not null,
    run_id text not null,
    since timestamptz not null default now(),
    primary key (system, stream, dag_id, run_id)
);
comment on table ops.waiting is 'Runs that bring fresh data and found their stream busy. A backfill lets them go first; a '
    'row goes when its run begins its load, or is over.';

grant select, insert, update, delete on ops.waiting to onefold_loader;
grant select on ops.waiting to onefold_engineer, onefold_auditor;
