-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['document']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('document',
    systems=['microsoft365'],
    streams=['microsoft365.document']) }}
