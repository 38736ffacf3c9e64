-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.calendar_event_id from {{ ref('calendar_event__candidate') }} as g
left join (select distinct calendar_event_id from {{ ref('calendar_event__candidate_crosswalk') }}) as x using (calendar_event_id)
group by g.calendar_event_id having count(x.calendar_event_id) <> 1
