-- A sweep is a load that lists keys only, to find what was deleted (load/sweep.py): it moves no cursor and brings no record.
alter table ops.load add column sweep boolean not null default false;
