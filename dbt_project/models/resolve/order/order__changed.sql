-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('order',
    systems=['erp', 'salesforce', 'sap', 'shop'],
    streams=['erp.zamowienie', 'salesforce.order', 'sap.sales_order', 'shop.order']) }}
