-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['calendar_event']) }}

-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if 'calendar_event' in var('full_mapping') -%}
    select record from {{ ref('calendar_event__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('calendar_event__changed') }}', '{{ ref('calendar_event__candidate_identifier') }}', 'mapped.calendar_event__identifier',
        array['event_key']) as record
    {%- endif %}
),
member as (
    select record, _load_id, event_key from {{ ref('calendar_event__candidate_identifier') }}
    union all
    select record, _load_id, event_key from mapped.calendar_event__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('calendar_event__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
