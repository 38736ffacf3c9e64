-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['payment']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('payment',
    systems=['accounting', 'stripe'],
    streams=['accounting.bank_line', 'stripe.charge']) }}
