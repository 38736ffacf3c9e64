-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'order' in var('full_mapping') -%}
    select record from {{ ref('order__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('order__changed') }}', '{{ ref('order__candidate_identifier') }}', 'mapped.order__identifier',
        array['order_number']) as record
    {%- endif %}
),
member as (
    select record, _load_id, order_number from {{ ref('order__candidate_identifier') }}
    union all
    select record, _load_id, order_number from mapped.order__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('order__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
