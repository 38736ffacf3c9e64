-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order_line']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('order_line',
    systems=['erp', 'salesforce', 'sap', 'shop'],
    streams=['erp.zamowienie_pozycja', 'salesforce.order_item', 'sap.sales_order_item', 'shop.order_line']) }}
