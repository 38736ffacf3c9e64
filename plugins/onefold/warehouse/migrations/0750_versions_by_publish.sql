-- What a publish has changed is found without reading every version: deliveries and write-backs ask for it. Tables whose
-- other indexes conform has not made yet get these with them, after their first rows (conform/golden_versions.py).
do $$
declare
    found record;
begin
    for found in
        select c.relname as name, regexp_replace(c.relname, '_version$', '') as short
        from pg_class as c
        where c.relnamespace = 'conformed'::regnamespace and c.relkind = 'r' and c.relname ~ '_version$'
            and to_regclass(format('conformed.%I', c.relname || '_pkey')) is not null
    loop
        execute format('create index if not exists %I on conformed.%I (_publish_id)',
            case when found.short ~ '_crosswalk$' then found.short else found.name end || '_by_publish', found.name);
        execute format('create index if not exists %I on conformed.%I (_ended_publish_id)'
            ' where _ended_publish_id is not null',
            case when found.short ~ '_crosswalk$' then found.short else found.name end || '_by_end', found.name);
    end loop;
end $$;
