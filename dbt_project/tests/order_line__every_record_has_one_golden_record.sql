-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('order_line__member') }} as m
left join {{ ref('order_line__candidate_crosswalk') }} as x using (record)
left join {{ ref('order_line__candidate') }} as g using (order_line_id)
group by m.record having count(g.order_line_id) <> 1
