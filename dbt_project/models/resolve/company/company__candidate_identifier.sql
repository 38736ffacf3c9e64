-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['company']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs, m.eu_vat
    from {{ ref('krs__company') }} as m
    join {{ ref('company__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs, m.eu_vat
    from {{ ref('regon__company') }} as m
    join {{ ref('company__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs, m.eu_vat
    from {{ ref('vies__company') }} as m
    join {{ ref('company__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs, m.eu_vat
    from {{ ref('white_list__company') }} as m
    join {{ ref('company__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, tax_id_pl, regon, krs, eu_vat
from folded
