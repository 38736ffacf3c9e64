-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['employee']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.employee_id
    from (
        select record from {{ ref('employee__member') }}
        union
        select record from {{ ref('employee__changed') }}
    ) as looked_at
    join conformed.employee_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.employee_id) p.employee_id, heir.employee_id as merged_into
from previous as p
left join {{ ref('employee__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('employee__candidate_crosswalk') }} as lives where lives.employee_id = p.employee_id)
group by p.employee_id, heir.employee_id
order by p.employee_id, (heir.employee_id is null), count(*) desc, min(record)
