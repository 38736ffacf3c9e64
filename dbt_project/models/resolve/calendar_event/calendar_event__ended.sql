-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['calendar_event']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.calendar_event_id
    from (
        select record from {{ ref('calendar_event__member') }}
        union
        select record from {{ ref('calendar_event__changed') }}
    ) as looked_at
    join conformed.calendar_event_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.calendar_event_id) p.calendar_event_id, heir.calendar_event_id as merged_into
from previous as p
left join {{ ref('calendar_event__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('calendar_event__candidate_crosswalk') }} as lives where lives.calendar_event_id = p.calendar_event_id)
group by p.calendar_event_id, heir.calendar_event_id
order by p.calendar_event_id, (heir.calendar_event_id is null), count(*) desc, min(record)
