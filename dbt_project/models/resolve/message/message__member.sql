-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['message']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'message' in var('full_mapping') -%}
    select record from {{ ref('message__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('message__changed') }}', '{{ ref('message__candidate_identifier') }}', 'mapped.message__identifier',
        array['message_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, message_key from {{ ref('message__candidate_identifier') }}
    union all
    select record, _load_id, message_key from mapped.message__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('message__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
