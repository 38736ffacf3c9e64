-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order_line']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('order_line__strong') }} as s join {{ ref('order_line__member') }} as m using (n)
    where s.torn
)
select 'line_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'line_key' = any (contested) group by line_key
union all
select 'line_key', 'plural', array_agg(record order by record)
from torn where line_key is not null group by unit having min(line_key) <> max(line_key)
