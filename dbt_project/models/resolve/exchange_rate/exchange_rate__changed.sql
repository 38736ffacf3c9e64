-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['exchange_rate']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('exchange_rate',
    systems=['nbp'],
    streams=['nbp.rate']) }}
