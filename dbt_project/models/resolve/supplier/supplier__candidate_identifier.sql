-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['supplier']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon
    from {{ ref('erp__supplier') }} as m
    join {{ ref('supplier__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, tax_id_pl, regon
from folded
