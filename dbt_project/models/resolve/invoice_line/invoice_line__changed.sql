-- generated from catalog/entities/invoice_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice_line']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('invoice_line',
    systems=['ksef'],
    streams=['ksef.invoice_line']) }}
