-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('contact__strong') }} as s join {{ ref('contact__member') }} as m using (n)
    where s.torn
)
select 'contact_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'contact_key' = any (contested) group by contact_key
union all
select 'contact_key', 'plural', array_agg(record order by record)
from torn where contact_key is not null group by unit having min(contact_key) <> max(contact_key)
