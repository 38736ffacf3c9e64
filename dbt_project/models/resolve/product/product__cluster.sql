-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('product__member') }} as m join {{ ref('product__strong') }} as s using (n)
