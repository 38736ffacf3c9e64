-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['supplier']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('supplier',
    systems=['erp'],
    streams=['erp.dostawca']) }}
