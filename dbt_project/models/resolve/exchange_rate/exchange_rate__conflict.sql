-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['exchange_rate']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('exchange_rate__strong') }} as s join {{ ref('exchange_rate__member') }} as m using (n)
    where s.torn
)
select 'rate_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'rate_key' = any (contested) group by rate_key
union all
select 'rate_key', 'plural', array_agg(record order by record)
from torn where rate_key is not null group by unit having min(rate_key) <> max(rate_key)
