-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('exchange_rate__member') }} as m
left join {{ ref('exchange_rate__candidate_crosswalk') }} as x using (record)
left join {{ ref('exchange_rate__candidate') }} as g using (exchange_rate_id)
group by m.record having count(g.exchange_rate_id) <> 1
