-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['employee']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'employee' in var('full_mapping') -%}
    select record from {{ ref('employee__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('employee__changed') }}', '{{ ref('employee__candidate_identifier') }}', 'mapped.employee__identifier',
        array['hr_number', 'email']) as record
    {%- endif %}
),
member as (
    select record, _load_id, hr_number, email from {{ ref('employee__candidate_identifier') }}
    union all
    select record, _load_id, hr_number, email from mapped.employee__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('employee__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
