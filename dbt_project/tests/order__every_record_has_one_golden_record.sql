-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('order__member') }} as m
left join {{ ref('order__candidate_crosswalk') }} as x using (record)
left join {{ ref('order__candidate') }} as g using (order_id)
group by m.record having count(g.order_id) <> 1
