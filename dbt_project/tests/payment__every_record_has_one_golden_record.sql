-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('payment__member') }} as m
left join {{ ref('payment__candidate_crosswalk') }} as x using (record)
left join {{ ref('payment__candidate') }} as g using (payment_id)
group by m.record having count(g.payment_id) <> 1
