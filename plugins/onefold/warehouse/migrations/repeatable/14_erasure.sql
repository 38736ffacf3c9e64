-- Erasure in place: numbers and all that is not erased stay digit for digit.

-- The record with some of its values replaced: changes is [[path, text or null], …]. What is not there stays away.
create or replace function ops.erase_paths(payload jsonb, changes jsonb) returns jsonb
language plpgsql immutable parallel safe as $$
declare
    change jsonb;
begin
    for change in select jsonb_array_elements(changes) loop
        payload := jsonb_set(payload, array(select jsonb_array_elements_text(change -> 0)), change -> 1, false);
    end loop;
    return payload;
end $$;

-- The fingerprint of a record of which something was erased: of what is left, so that it proves nothing of what was. As
-- with any other record, its deletion has another one.
create or replace function ops.erased_hash(payload jsonb, deleted boolean) returns bytea
language sql immutable parallel safe as $$
    select decode(md5(case when deleted then 'erased and deleted' else 'erased' end || payload::text), 'hex')
$$;

-- The values of a record at these places and within them, as changes for ops.erase_paths(): all that are not null, but
-- those at the spared places. A place is the steps to it; * is any step.
create or replace function ops.values_at(payload jsonb, places jsonb, spared jsonb) returns jsonb
language sql immutable parallel safe as $$
    with recursive walk as (
        select place, array[]::text[] as path, payload as value from jsonb_array_elements(places) as place
        union all
        select walk.place, walk.path || child.step, child.value
        from walk cross join lateral (
            select key as step, value
            from jsonb_each(case jsonb_typeof(walk.value) when 'object' then walk.value else '{}' end)
            union all
            select (number - 1)::text, value
            from jsonb_array_elements(case jsonb_typeof(walk.value) when 'array' then walk.value else '[]' end)
                with ordinality as element (value, number)
        ) child
        where coalesce(walk.place ->> cardinality(walk.path), '*') in ('*', child.step)
    ),
    found as (
        select distinct path from walk
        where cardinality(path) >= jsonb_array_length(place) and jsonb_typeof(value) not in ('object', 'array', 'null')
    )
    select coalesce(jsonb_agg(jsonb_build_array(path, null) order by path), '[]') from found
    where not exists (
        select from jsonb_array_elements(spared) as kept
        where not exists (
            select from jsonb_array_elements_text(kept) with ordinality as element (step, number)
            where number > cardinality(path) or step not in ('*', path[number])
        )
    )
$$;
