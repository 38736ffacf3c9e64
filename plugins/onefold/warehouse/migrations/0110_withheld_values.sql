-- Withheld values: a wrong value of one attribute stands in ops.quarantine by itself, and the rest of its record is used.

alter table ops.quarantine
    add column if not exists attribute text, add column if not exists value_kind text, add column if not exists allowed text,
    drop constraint if exists quarantine_check;
alter table ops.quarantine add constraint quarantine_check check (
    case when attribute is null then (payload is null) <> (raw is null) else payload is null and raw is null end);
create index if not exists quarantine_withheld on ops.quarantine (system, stream, attribute)
    where state = 'open' and attribute is not null;
alter table ops.load add column if not exists values_withheld bigint not null default 0;
alter table staging.superseded add column if not exists _withheld jsonb;

do $$
declare
    found record;
begin
    for found in
        select n.nspname as schema, c.relname as name
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname in ('staging', 'landing')
            and (n.nspname = 'staging' or c.relname ~ '^load_[0-9]+__candidate$')
            and c.relname not in ('superseded', 'unchanged')
            and not exists (select from pg_inherits as i where i.inhrelid = c.oid)
            and exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = '_payload')
    loop
        execute format('alter table %I.%I add column if not exists _withheld jsonb', found.schema, found.name);
        if to_regclass(format('%I.%I', found.schema, found.name || '__current')) is not null then
            execute format('create or replace view %1$I.%2$I as select distinct on (_key) * from %1$I.%3$I '
                'order by _key, _load_id desc', found.schema, found.name || '__current', found.name);
        end if;
    end loop;
end $$;
