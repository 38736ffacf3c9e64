-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('supplier__member') }} as m
left join {{ ref('supplier__candidate_crosswalk') }} as x using (record)
left join {{ ref('supplier__candidate') }} as g using (supplier_id)
group by m.record having count(g.supplier_id) <> 1
