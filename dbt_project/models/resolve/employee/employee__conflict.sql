-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['employee']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('employee__strong') }} as s join {{ ref('employee__member') }} as m using (n)
    where s.torn
)
select 'hr_number' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'hr_number' = any (contested) group by hr_number
union all
select 'hr_number', 'plural', array_agg(record order by record)
from torn where hr_number is not null group by unit having min(hr_number) <> max(hr_number)
union all
select 'email' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'email' = any (contested) group by email
union all
select 'email', 'plural', array_agg(record order by record)
from torn where email is not null group by unit having min(email) <> max(email)
