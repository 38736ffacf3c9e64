-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('product__member') }} as m
left join {{ ref('product__candidate_crosswalk') }} as x using (record)
left join {{ ref('product__candidate') }} as g using (product_id)
group by m.record having count(g.product_id) <> 1
