-- Resolution says probabilistic, winning member and provenance where it said cautious, given and origin.

do $$
declare
    found record;
begin
    -- By what records can be recognised: mapped.<entity>__identifier, of entities that are matched by name and address.
    for found in
        select a.attrelid::regclass as name, c.relname from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'mapped'::regnamespace and c.relname like '%\_\_identifier' and a.attname = 'cautious_key'
    loop
        execute format('alter table %s rename column cautious_key to probabilistic_key', found.name);
        execute format('alter table %s rename column cut_key to name_prefix_key', found.name);
        execute format('alter table %s rename column cut to name_truncated', found.name);
        execute format('alter index if exists mapped.%I rename to %I',
            found.relname || '_by_cautious_key', found.relname || '_by_probabilistic_key');
        execute format('alter index if exists mapped.%I rename to %I',
            found.relname || '_by_cut_key', found.relname || '_by_name_prefix_key');
    end loop;

    for found in
        select a.attrelid::regclass as name from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'conformed'::regnamespace and c.relkind = 'r' and c.relname like '%\_version'
            and a.attname = '_given'
    loop
        execute format('alter table %s rename column _given to _winning_members', found.name);
    end loop;

    for found in
        select a.attrelid::regclass as name, regexp_replace(c.relname, '_origin$', '') as entity
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'conformed'::regnamespace and c.relkind = 'r' and c.relname like '%\_origin'
            and a.attname = 'origins'
    loop
        execute format('alter table %s rename column origins to sources', found.name);
        execute format('alter table %s rename to %I', found.name, found.entity || '_provenance');
        execute format('alter index if exists conformed.%I rename to %I',
            found.entity || '_origin_pkey', found.entity || '_provenance_pkey');
    end loop;

    -- dbt makes mapped.<entity>__probabilistic; nobody would drop what it made under the old name.
    for found in
        select c.oid::regclass as name from pg_class as c
        where c.relnamespace = 'mapped'::regnamespace and c.relkind = 'r' and c.relname like '%\_\_cautious'
    loop
        execute format('drop table %s', found.name);
    end loop;
end $$;

alter table ops.identity_conflict drop constraint identity_conflict_reason_check;
update ops.identity_conflict set reason = case reason when 'contested' then 'ambiguous' else 'several_values' end;
alter table ops.identity_conflict add constraint identity_conflict_reason_check
    check (reason in ('ambiguous', 'several_values'));
