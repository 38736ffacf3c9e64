-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('invoice',
    systems=['accounting', 'erp', 'ksef'],
    streams=['accounting.jpk_invoice', 'erp.faktura', 'ksef.invoice']) }}
