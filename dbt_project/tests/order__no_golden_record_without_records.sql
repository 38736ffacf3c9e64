-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.order_id from {{ ref('order__candidate') }} as g
left join (select distinct order_id from {{ ref('order__candidate_crosswalk') }}) as x using (order_id)
group by g.order_id having count(x.order_id) <> 1
