-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.sku, m.ean
    from {{ ref('erp__product') }} as m
    join {{ ref('product__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.sku, m.ean
    from {{ ref('salesforce__product') }} as m
    join {{ ref('product__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.sku, m.ean
    from {{ ref('sap_idoc__product') }} as m
    join {{ ref('product__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.sku, m.ean
    from {{ ref('sap_v4__product') }} as m
    join {{ ref('product__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.sku, m.ean
    from {{ ref('shop__product') }} as m
    join {{ ref('product__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, sku, ean
from folded
