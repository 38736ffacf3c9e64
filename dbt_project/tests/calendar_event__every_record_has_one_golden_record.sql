-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('calendar_event__member') }} as m
left join {{ ref('calendar_event__candidate_crosswalk') }} as x using (record)
left join {{ ref('calendar_event__candidate') }} as g using (calendar_event_id)
group by m.record having count(g.calendar_event_id) <> 1
