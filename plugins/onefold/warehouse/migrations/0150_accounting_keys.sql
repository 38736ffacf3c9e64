-- The keys of the accounting streams get what makes them unique: of a bank line our account, of a cost entry supplier, account
-- and cost centre, of an invoice its seller and kind. Rows that were loaded keep their history under the new key.
do $$
declare
    renamed record;
    changed record;
begin
    create temporary table rekeyed (stream text, old text, new text, primary key (stream, old)) on commit drop;
    for renamed in
        select * from (values
            ('bank_line', array['nr_wyciagu', 'lp', 'rachunek_wlasny']),
            ('account_entry', array['nr_dowodu', 'nip_dostawcy', 'konto', 'mpk']),
            ('jpk_invoice', array['P_2A', 'P_4B', 'RodzajFaktury'])) as stream (name, fields)
    loop
        continue when to_regclass('staging.accounting__' || renamed.name) is null;
        execute format(
            $sql$insert into rekeyed
            select distinct on (_key) %1$L, _key, '[' || (
                select string_agg(coalesce(to_json(nullif(_payload ->> field, ''))::text, 'null'), ',' order by place)
                from unnest(%2$L::text[]) with ordinality as part (field, place)) || ']'
            from staging.%3$I order by _key, _load_id desc$sql$,
            renamed.name, renamed.fields, 'accounting__' || renamed.name);
        execute format(
            'update staging.%I as held set _key = r.new from rekeyed as r where r.stream = %L and held._key = r.old',
            'accounting__' || renamed.name, renamed.name);
    end loop;
    update staging.superseded as held set _key = r.new from rekeyed as r
    where held.system = 'accounting' and held.stream = r.stream and held._key = r.old;
    update ops.quarantine as held set _key = r.new from rekeyed as r
    where held.system = 'accounting' and held.stream = r.stream and held._key = r.old;
    for changed in
        select n.nspname, c.relname, a.attname
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and (n.nspname, c.relname, a.attname) in (
            ('conformed', 'invoice_crosswalk_version', 'record'), ('conformed', 'payment_crosswalk_version', 'record'),
            ('mapped', 'invoice__identifier', 'record'), ('mapped', 'payment__identifier', 'record'),
            ('mapped', 'accounting__invoice', '_record'), ('mapped', 'accounting__payment', '_record'))
    loop
        execute format(
            $sql$update %1$I.%2$I as held set %3$I = 'accounting|' || r.stream || '|' || r.new from rekeyed as r
            where held.%3$I = 'accounting|' || r.stream || '|' || r.old$sql$, changed.nspname, changed.relname, changed.attname);
        continue when changed.nspname = 'mapped' and changed.relname like '%\_\_identifier';
        execute format(
            $sql$update %1$I.%2$I as held set %4$I = r.new from rekeyed as r
            where held.%3$I = 'accounting|' || r.stream || '|' || r.new$sql$,
            changed.nspname, changed.relname, changed.attname, case changed.nspname when 'mapped' then '_key' else 'key' end);
    end loop;
    for changed in select unnest(array['invoice_version', 'payment_version']) as relname loop
        continue when to_regclass('conformed.' || changed.relname) is null;
        execute format(
            $sql$update conformed.%I set _members = array(
                select coalesce((select 'accounting|' || r.stream || '|' || r.new from rekeyed as r
                    where member = 'accounting|' || r.stream || '|' || r.old), member)
                from unnest(_members) with ordinality as m (member, place) order by place)
            where exists (select from unnest(_members) as member where member like 'accounting|%%')$sql$, changed.relname);
    end loop;
end $$;
