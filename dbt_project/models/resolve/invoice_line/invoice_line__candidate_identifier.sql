-- generated from catalog/entities/invoice_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice_line']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.line_key
    from {{ ref('ksef__invoice_line') }} as m
    join {{ ref('invoice_line__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, line_key
from folded
