-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('product',
    systems=['erp', 'salesforce', 'sap_idoc', 'sap_v4', 'shop'],
    streams=['erp.towar', 'salesforce.product', 'sap_idoc.material', 'sap_v4.product', 'shop.product']) }}
