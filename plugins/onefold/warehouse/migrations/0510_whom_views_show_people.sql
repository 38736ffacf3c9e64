-- Views hide what is personal from who may not see it: to whom they show it is remembered from one recording of direct reads
-- to the next.
alter table audit.statement_watch add column shown_before oid[] not null default '{}',
    add column shown_now oid[] not null default '{}';
drop function if exists audit.direct_reads(integer);
