-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('beneficial_owner__member') }} as m
left join {{ ref('beneficial_owner__candidate_crosswalk') }} as x using (record)
left join {{ ref('beneficial_owner__candidate') }} as g using (beneficial_owner_id)
group by m.record having count(g.beneficial_owner_id) <> 1
