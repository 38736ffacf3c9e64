-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['message']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('message',
    systems=['epuap', 'microsoft365'],
    streams=['epuap.document', 'microsoft365.message']) }}
