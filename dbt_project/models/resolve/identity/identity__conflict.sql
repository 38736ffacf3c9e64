-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['identity']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('identity__strong') }} as s join {{ ref('identity__member') }} as m using (n)
    where s.torn
)
select 'email' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'email' = any (contested) group by email
union all
select 'email', 'plural', array_agg(record order by record)
from torn where email is not null group by unit having min(email) <> max(email)
