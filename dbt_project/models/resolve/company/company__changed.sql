-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['company']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('company',
    systems=['krs', 'regon', 'vies', 'white_list'],
    streams=['krs.extract', 'regon.entity', 'vies.number', 'white_list.subject']) }}
