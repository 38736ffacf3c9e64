-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('company__member') }} as m
left join {{ ref('company__candidate_crosswalk') }} as x using (record)
left join {{ ref('company__candidate') }} as g using (company_id)
group by m.record having count(g.company_id) <> 1
