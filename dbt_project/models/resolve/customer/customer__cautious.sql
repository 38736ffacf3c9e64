-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['customer']) }}

-- Groups of records that have name and address in common. A key whose groups contradict each other joins none of them.
with member as materialized (
    select m.*, s.unit from {{ ref('customer__member') }} as m join {{ ref('customer__strong') }} as s using (n)
),
holds as (
    select unit, cautious_key as key from member where cautious_key is not null
    union
    -- A cut name stands for the one full name that it begins; when it begins several, for none.
    select cut_name.unit, min(full_name.cautious_key)
    from member as cut_name
    join member as full_name on full_name.cut_key = cut_name.cut_key and not full_name.cut
        and starts_with(full_name.name_key, cut_name.name_key)
    where cut_name.cut
    group by cut_name.unit, cut_name.cautious_key
    having count(distinct full_name.cautious_key) = 1
),
shared as materialized (
    select unit, key from (select unit, key, count(*) over (partition by key) as units from holds) as counted
    where units > 1
),
bounds as (
    select m.unit
        , min(m.tax_id_pl) as tax_id_pl_min, max(m.tax_id_pl) as tax_id_pl_max
        , min(m.regon) as regon_min, max(m.regon) as regon_max
        , min(m.krs) as krs_min, max(m.krs) as krs_max
    from member as m where m.unit in (select unit from shared) group by m.unit
),
clear as (
    select key, min(unit) as hub from shared join bounds using (unit)
    group by key
    having min(tax_id_pl_min) is not distinct from max(tax_id_pl_max) and min(regon_min) is not distinct from max(regon_max) and min(krs_min) is not distinct from max(krs_max)
)
select distinct unit, hub from shared join clear using (key) where unit <> hub
