-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['identity']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'identity' in var('full_mapping') -%}
    select record from {{ ref('identity__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('identity__changed') }}', '{{ ref('identity__candidate_identifier') }}', 'mapped.identity__identifier',
        array['email']) as record
    {%- endif %}
),
member as (
    select record, _load_id, email from {{ ref('identity__candidate_identifier') }}
    union all
    select record, _load_id, email from mapped.identity__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('identity__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
