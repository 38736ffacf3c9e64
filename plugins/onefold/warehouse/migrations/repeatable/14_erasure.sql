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

-- The fingerprint of a record of which something was erased: of what is left, so that it proves nothing of what was.
create or replace function ops.erased_hash(payload jsonb) returns bytea
language sql immutable parallel safe as $$
    select decode(md5('erased' || payload::text), 'hex')
$$;
