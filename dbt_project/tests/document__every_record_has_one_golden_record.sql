-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('document__member') }} as m
left join {{ ref('document__candidate_crosswalk') }} as x using (record)
left join {{ ref('document__candidate') }} as g using (document_id)
group by m.record having count(g.document_id) <> 1
