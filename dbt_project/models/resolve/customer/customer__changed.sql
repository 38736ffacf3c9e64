-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['customer']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('customer',
    systems=['erp', 'krs', 'regon', 'salesforce', 'sap', 'shop'],
    streams=['erp.klient', 'krs.extract', 'regon.entity', 'salesforce.account', 'sap.business_partner', 'shop.customer']) }}
