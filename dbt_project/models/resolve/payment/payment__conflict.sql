-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['payment']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('payment__strong') }} as s join {{ ref('payment__member') }} as m using (n)
    where s.torn
)
select 'payment_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'payment_key' = any (contested) group by payment_key
union all
select 'payment_key', 'plural', array_agg(record order by record)
from torn where payment_key is not null group by unit having min(payment_key) <> max(payment_key)
