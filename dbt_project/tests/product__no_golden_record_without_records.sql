-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.product_id from {{ ref('product__candidate') }} as g
left join (select distinct product_id from {{ ref('product__candidate_crosswalk') }}) as x using (product_id)
group by g.product_id having count(x.product_id) <> 1
