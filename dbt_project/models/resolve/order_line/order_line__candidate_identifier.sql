-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order_line']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.line_key
    from {{ ref('erp__order_line') }} as m
    join {{ ref('order_line__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.line_key
    from {{ ref('salesforce__order_line') }} as m
    join {{ ref('order_line__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.line_key
    from {{ ref('sap__order_line') }} as m
    join {{ ref('order_line__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.line_key
    from {{ ref('shop__order_line') }} as m
    join {{ ref('order_line__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, line_key
from folded
