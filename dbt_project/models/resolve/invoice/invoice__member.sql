-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'invoice' in var('full_mapping') -%}
    select record from {{ ref('invoice__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('invoice__changed') }}', '{{ ref('invoice__candidate_identifier') }}', 'mapped.invoice__identifier',
        array['invoice_number', 'ksef_number']) as record
    {%- endif %}
),
member as (
    select record, _load_id, invoice_number, ksef_number from {{ ref('invoice__candidate_identifier') }}
    union all
    select record, _load_id, invoice_number, ksef_number from mapped.invoice__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('invoice__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
