-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('identity__member') }} as m
left join {{ ref('identity__candidate_crosswalk') }} as x using (record)
left join {{ ref('identity__candidate') }} as g using (identity_id)
group by m.record having count(g.identity_id) <> 1
