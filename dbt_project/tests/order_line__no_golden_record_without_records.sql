-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.order_line_id from {{ ref('order_line__candidate') }} as g
left join (select distinct order_line_id from {{ ref('order_line__candidate_crosswalk') }}) as x using (order_line_id)
group by g.order_line_id having count(x.order_line_id) <> 1
