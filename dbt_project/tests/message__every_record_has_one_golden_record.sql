-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('message__member') }} as m
left join {{ ref('message__candidate_crosswalk') }} as x using (record)
left join {{ ref('message__candidate') }} as g using (message_id)
group by m.record having count(g.message_id) <> 1
