-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('beneficial_owner',
    systems=['crbr'],
    streams=['crbr.beneficiary']) }}
