-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.customer_id from {{ ref('customer__candidate') }} as g
left join (select distinct customer_id from {{ ref('customer__candidate_crosswalk') }}) as x using (customer_id)
group by g.customer_id having count(x.customer_id) <> 1
