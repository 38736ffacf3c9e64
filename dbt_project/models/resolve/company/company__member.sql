-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['company']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'company' in var('full_mapping') -%}
    select record from {{ ref('company__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('company__changed') }}', '{{ ref('company__candidate_identifier') }}', 'mapped.company__identifier',
        array['tax_id_pl', 'regon', 'krs', 'eu_vat']) as record
    {%- endif %}
),
member as (
    select record, _load_id, tax_id_pl, regon, krs, eu_vat from {{ ref('company__candidate_identifier') }}
    union all
    select record, _load_id, tax_id_pl, regon, krs, eu_vat from mapped.company__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('company__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
