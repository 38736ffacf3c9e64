-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'product' in var('full_mapping') -%}
    select record from {{ ref('product__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('product__changed') }}', '{{ ref('product__candidate_identifier') }}', 'mapped.product__identifier',
        array['sku', 'ean']) as record
    {%- endif %}
),
member as (
    select record, _load_id, sku, ean from {{ ref('product__candidate_identifier') }}
    union all
    select record, _load_id, sku, ean from mapped.product__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('product__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
