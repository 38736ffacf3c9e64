-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['customer']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'customer' in var('full_mapping') -%}
    select record from {{ ref('customer__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('customer__changed') }}', '{{ ref('customer__candidate_identifier') }}', 'mapped.customer__identifier',
        array['tax_id_pl', 'regon', 'krs', 'cautious_key', 'cut_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, tax_id_pl, regon, krs, cautious_key, cut_key, name_key, cut from {{ ref('customer__candidate_identifier') }}
    union all
    select record, _load_id, tax_id_pl, regon, krs, cautious_key, cut_key, name_key, cut from mapped.customer__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('customer__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
