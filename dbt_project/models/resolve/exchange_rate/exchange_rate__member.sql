-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['exchange_rate']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'exchange_rate' in var('full_mapping') -%}
    select record from {{ ref('exchange_rate__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('exchange_rate__changed') }}', '{{ ref('exchange_rate__candidate_identifier') }}', 'mapped.exchange_rate__identifier',
        array['rate_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, rate_key from {{ ref('exchange_rate__candidate_identifier') }}
    union all
    select record, _load_id, rate_key from mapped.exchange_rate__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('exchange_rate__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
