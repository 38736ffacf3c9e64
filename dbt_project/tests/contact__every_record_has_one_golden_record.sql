-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('contact__member') }} as m
left join {{ ref('contact__candidate_crosswalk') }} as x using (record)
left join {{ ref('contact__candidate') }} as g using (contact_id)
group by m.record having count(g.contact_id) <> 1
