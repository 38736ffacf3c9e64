-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['payment']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'payment' in var('full_mapping') -%}
    select record from {{ ref('payment__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('payment__changed') }}', '{{ ref('payment__candidate_identifier') }}', 'mapped.payment__identifier',
        array['payment_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, payment_key from {{ ref('payment__candidate_identifier') }}
    union all
    select record, _load_id, payment_key from mapped.payment__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('payment__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
