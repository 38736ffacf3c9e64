-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['document']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'document' in var('full_mapping') -%}
    select record from {{ ref('document__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('document__changed') }}', '{{ ref('document__candidate_identifier') }}', 'mapped.document__identifier',
        array['document_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, document_key from {{ ref('document__candidate_identifier') }}
    union all
    select record, _load_id, document_key from mapped.document__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('document__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
