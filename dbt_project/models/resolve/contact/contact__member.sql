-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'contact' in var('full_mapping') -%}
    select record from {{ ref('contact__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('contact__changed') }}', '{{ ref('contact__candidate_identifier') }}', 'mapped.contact__identifier',
        array['contact_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, contact_key from {{ ref('contact__candidate_identifier') }}
    union all
    select record, _load_id, contact_key from mapped.contact__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('contact__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
