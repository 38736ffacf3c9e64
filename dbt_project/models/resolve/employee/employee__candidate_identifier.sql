-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['employee']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.hr_number, m.email
    from {{ ref('hr__employee') }} as m
    join {{ ref('employee__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, hr_number, email
from folded
