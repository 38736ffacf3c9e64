-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['calendar_event']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('calendar_event__strong') }} as s join {{ ref('calendar_event__member') }} as m using (n)
    where s.torn
)
select 'event_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'event_key' = any (contested) group by event_key
union all
select 'event_key', 'plural', array_agg(record order by record)
from torn where event_key is not null group by unit having min(event_key) <> max(event_key)
