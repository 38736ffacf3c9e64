-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['message']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('message__strong') }} as s join {{ ref('message__member') }} as m using (n)
    where s.torn
)
select 'message_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'message_key' = any (contested) group by message_key
union all
select 'message_key', 'plural', array_agg(record order by record)
from torn where message_key is not null group by unit having min(message_key) <> max(message_key)
