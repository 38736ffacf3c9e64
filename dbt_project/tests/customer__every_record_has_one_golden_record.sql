-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('customer__member') }} as m
left join {{ ref('customer__candidate_crosswalk') }} as x using (record)
left join {{ ref('customer__candidate') }} as g using (customer_id)
group by m.record having count(g.customer_id) <> 1
