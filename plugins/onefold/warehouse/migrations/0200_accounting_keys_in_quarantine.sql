-- 0150 gave the accounting streams longer keys and took along the rows that had been published. One that only ever waited in
-- quarantine gets its new key from what was received, so that its file's next load closes it, as it closes any other.
update ops.quarantine as held
set _key = '[' || (
    select string_agg(coalesce(to_json(nullif(held.payload ->> field, ''))::text, 'null'), ',' order by place)
    from unnest(rekeyed.fields) with ordinality as part (field, place)) || ']'
from (values
    ('bank_line', array['nr_wyciagu', 'lp', 'rachunek_wlasny']),
    ('account_entry', array['nr_dowodu', 'nip_dostawcy', 'konto', 'mpk']),
    ('jpk_invoice', array['P_2A', 'P_4B', 'RodzajFaktury'])) as rekeyed (stream, fields)
where held.system = 'accounting' and held.stream = rekeyed.stream and held._key is not null
    and jsonb_typeof(held.payload) = 'object'
    and case when pg_input_is_valid(held._key, 'jsonb') and jsonb_typeof(held._key::jsonb) = 'array'
        then jsonb_array_length(held._key::jsonb) < cardinality(rekeyed.fields) else true end;
