-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'beneficial_owner' in var('full_mapping') -%}
    select record from {{ ref('beneficial_owner__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('beneficial_owner__changed') }}', '{{ ref('beneficial_owner__candidate_identifier') }}', 'mapped.beneficial_owner__identifier',
        array['owner_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, owner_key from {{ ref('beneficial_owner__candidate_identifier') }}
    union all
    select record, _load_id, owner_key from mapped.beneficial_owner__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('beneficial_owner__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
