-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.invoice_number, m.ksef_number
    from {{ ref('accounting__invoice') }} as m
    join {{ ref('invoice__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.invoice_number, m.ksef_number
    from {{ ref('erp__invoice') }} as m
    join {{ ref('invoice__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.invoice_number, m.ksef_number
    from {{ ref('ksef__invoice') }} as m
    join {{ ref('invoice__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, invoice_number, ksef_number
from folded
