-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('beneficial_owner__strong') }} as s join {{ ref('beneficial_owner__member') }} as m using (n)
    where s.torn
)
select 'owner_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'owner_key' = any (contested) group by owner_key
union all
select 'owner_key', 'plural', array_agg(record order by record)
from torn where owner_key is not null group by unit having min(owner_key) <> max(owner_key)
