-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['supplier']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'supplier' in var('full_mapping') -%}
    select record from {{ ref('supplier__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('supplier__changed') }}', '{{ ref('supplier__candidate_identifier') }}', 'mapped.supplier__identifier',
        array['tax_id_pl', 'regon']) as record
    {%- endif %}
),
member as (
    select record, _load_id, tax_id_pl, regon from {{ ref('supplier__candidate_identifier') }}
    union all
    select record, _load_id, tax_id_pl, regon from mapped.supplier__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('supplier__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
