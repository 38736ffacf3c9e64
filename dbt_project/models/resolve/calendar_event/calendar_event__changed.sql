-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['calendar_event']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('calendar_event',
    systems=['microsoft365'],
    streams=['microsoft365.calendar_event']) }}
