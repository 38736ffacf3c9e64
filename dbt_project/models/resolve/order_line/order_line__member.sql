-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order_line']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'order_line' in var('full_mapping') -%}
    select record from {{ ref('order_line__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('order_line__changed') }}', '{{ ref('order_line__candidate_identifier') }}', 'mapped.order_line__identifier',
        array['line_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, line_key from {{ ref('order_line__candidate_identifier') }}
    union all
    select record, _load_id, line_key from mapped.order_line__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('order_line__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
