-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('order__strong') }} as s join {{ ref('order__member') }} as m using (n)
    where s.torn
)
select 'order_number' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'order_number' = any (contested) group by order_number
union all
select 'order_number', 'plural', array_agg(record order by record)
from torn where order_number is not null group by unit having min(order_number) <> max(order_number)
