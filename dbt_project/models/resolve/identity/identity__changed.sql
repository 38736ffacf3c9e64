-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['identity']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('identity',
    systems=['keycloak', 'microsoft365'],
    streams=['keycloak.user', 'microsoft365.user']) }}
