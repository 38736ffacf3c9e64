-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('product__strong') }} as s join {{ ref('product__member') }} as m using (n)
    where s.torn
)
select 'sku' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'sku' = any (contested) group by sku
union all
select 'sku', 'plural', array_agg(record order by record)
from torn where sku is not null group by unit having min(sku) <> max(sku)
union all
select 'ean' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'ean' = any (contested) group by ean
union all
select 'ean', 'plural', array_agg(record order by record)
from torn where ean is not null group by unit having min(ean) <> max(ean)
