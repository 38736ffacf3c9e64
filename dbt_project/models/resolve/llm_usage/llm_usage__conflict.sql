-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['llm_usage']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('llm_usage__strong') }} as s join {{ ref('llm_usage__member') }} as m using (n)
    where s.torn
)
select 'usage_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'usage_key' = any (contested) group by usage_key
union all
select 'usage_key', 'plural', array_agg(record order by record)
from torn where usage_key is not null group by unit having min(usage_key) <> max(usage_key)
