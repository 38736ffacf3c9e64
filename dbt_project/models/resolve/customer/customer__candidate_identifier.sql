-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['customer']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs
        , {{ name_key('m.legal_name') }} as name_key
        , {{ name_is_cut('m.legal_name') }} as cut
        , {{ address_key('m.postal_code') }} || {{ address_key('m.street') }} as address_key
    from {{ ref('erp__customer') }} as m
    join {{ ref('customer__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs
        , {{ name_key('m.legal_name') }} as name_key
        , {{ name_is_cut('m.legal_name') }} as cut
        , {{ address_key('m.postal_code') }} || {{ address_key('m.street') }} as address_key
    from {{ ref('krs__customer') }} as m
    join {{ ref('customer__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs
        , {{ name_key('m.legal_name') }} as name_key
        , {{ name_is_cut('m.legal_name') }} as cut
        , {{ address_key('m.postal_code') }} || {{ address_key('m.street') }} as address_key
    from {{ ref('regon__customer') }} as m
    join {{ ref('customer__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs
        , {{ name_key('m.legal_name') }} as name_key
        , {{ name_is_cut('m.legal_name') }} as cut
        , {{ address_key('m.postal_code') }} || {{ address_key('m.street') }} as address_key
    from {{ ref('salesforce__customer') }} as m
    join {{ ref('customer__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs
        , {{ name_key('m.legal_name') }} as name_key
        , {{ name_is_cut('m.legal_name') }} as cut
        , {{ address_key('m.postal_code') }} || {{ address_key('m.street') }} as address_key
    from {{ ref('sap__customer') }} as m
    join {{ ref('customer__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.tax_id_pl, m.regon, m.krs
        , {{ name_key('m.legal_name') }} as name_key
        , {{ name_is_cut('m.legal_name') }} as cut
        , {{ address_key('m.postal_code') }} || {{ address_key('m.street') }} as address_key
    from {{ ref('shop__customer') }} as m
    join {{ ref('customer__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, tax_id_pl, regon, krs
    , name_key, cut
    , case when length(name_key) >= 3 and address_key <> '' then name_key || '|' || address_key end as cautious_key
    -- Where a name may have been cut, its first letters must agree before it is compared at all.
    , case when length(name_key) >= 24 and address_key <> '' then left(name_key, 24) || '|' || address_key end as cut_key
from folded
