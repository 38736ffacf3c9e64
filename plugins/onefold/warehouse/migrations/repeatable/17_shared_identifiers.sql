-- Why records are one golden record: which of its records have an identifier in common, without the identifier, which may
-- be personal. Engineers ask it for a golden record that is there, never for records of their choice.
create or replace function conformed.shared_identifiers(entity text, golden_id uuid)
returns table (identifier text, records text[])
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$ begin
    return query execute format(
        'select pair.key, array_agg(known.record::text order by known.record)
        from mapped.%I as known
        cross join lateral jsonb_each_text(to_jsonb(known) - array[''record'', ''_load_id'', ''name_key'', ''name_truncated'']) as pair
        where known.record in (select record from conformed.%I where %I = $1) and pair.value is not null
        group by pair.key, pair.value having count(*) > 1 order by 1, 2',
        shared_identifiers.entity || '__identifier', shared_identifiers.entity || '_crosswalk',
        shared_identifiers.entity || '_id'
    ) using shared_identifiers.golden_id;
end $$;
comment on function conformed.shared_identifiers(text, uuid) is
    'Of a golden record, which of its records have which identifier in common; not the identifier itself.';
alter function conformed.shared_identifiers(text, uuid) owner to onefold_loader;
revoke all on function conformed.shared_identifiers(text, uuid) from public;
grant execute on function conformed.shared_identifiers(text, uuid) to onefold_engineer;
