-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('contact',
    systems=['salesforce'],
    streams=['salesforce.contact']) }}
