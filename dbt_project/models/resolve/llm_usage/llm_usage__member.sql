-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['llm_usage']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'llm_usage' in var('full_mapping') -%}
    select record from {{ ref('llm_usage__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('llm_usage__changed') }}', '{{ ref('llm_usage__candidate_identifier') }}', 'mapped.llm_usage__identifier',
        array['usage_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, usage_key from {{ ref('llm_usage__candidate_identifier') }}
    union all
    select record, _load_id, usage_key from mapped.llm_usage__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('llm_usage__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
