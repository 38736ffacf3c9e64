-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['calendar_event']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.event_key
    from {{ ref('microsoft365__calendar_event') }} as m
    join {{ ref('calendar_event__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, event_key
from folded
