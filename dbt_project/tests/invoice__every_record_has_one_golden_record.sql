-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('invoice__member') }} as m
left join {{ ref('invoice__candidate_crosswalk') }} as x using (record)
left join {{ ref('invoice__candidate') }} as g using (invoice_id)
group by m.record having count(g.invoice_id) <> 1
