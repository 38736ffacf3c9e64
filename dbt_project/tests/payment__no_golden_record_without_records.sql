-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.payment_id from {{ ref('payment__candidate') }} as g
left join (select distinct payment_id from {{ ref('payment__candidate_crosswalk') }}) as x using (payment_id)
group by g.payment_id having count(x.payment_id) <> 1
