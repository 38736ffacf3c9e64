-- How an event gets into the inbox: the one way, for writers must take turns.

-- Stores events in the order given, but for those whose id the inbox has already; returns how many are new. The lock is
-- held until the commit can be seen: who reads up to the greatest sequence that there is misses nothing below it.
create or replace function inbox.store(systems text[], streams text[], event_ids text[], headers jsonb[], bodies bytea[])
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    stored bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('onefold inbox', 0));
    insert into inbox.event (system, stream, event_id, headers, body)
    select given.system, given.stream, given.event_id, given.headers, given.body
    from unnest(systems, streams, event_ids, headers, bodies) with ordinality
        as given (system, stream, event_id, headers, body, place)
    order by given.place
    on conflict do nothing;
    get diagnostics stored = row_count;
    return stored;
end $$;
alter function inbox.store(text[], text[], text[], jsonb[], bytea[]) owner to onefold_definer;

-- An event's body as text; one that is no UTF-8 with its other bytes as \ooo.
create or replace function inbox.body_text(body bytea) returns text language plpgsql immutable as $$
begin
    return convert_from(body, 'UTF8');
exception when character_not_in_repertoire or untranslatable_character then
    return encode(body, 'escape');
end $$;
