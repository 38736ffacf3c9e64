-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.order_number
    from {{ ref('erp__order') }} as m
    join {{ ref('order__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.order_number
    from {{ ref('salesforce__order') }} as m
    join {{ ref('order__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.order_number
    from {{ ref('sap__order') }} as m
    join {{ ref('order__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.order_number
    from {{ ref('shop__order') }} as m
    join {{ ref('order__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, order_number
from folded
