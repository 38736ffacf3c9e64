-- generated from catalog/entities/order_line.yaml, catalog/systems/sap.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order_line']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with sales_order_item_records as (
    {{ records_to_map('order_line', 'sap', 'sales_order_item') }}
)

select
    'sap|sales_order_item|' || _key as _record,
    'sap'::text as _system,
    'sales_order_item'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'SalesOrder')", "(_payload ->> 'SalesOrderItem')") }} as line_key,
    'sap|sales_order|' || {{ text("(_payload ->> 'SalesOrder')") }} as order_record,
    {{ text("(_payload ->> 'SalesOrderItem')") }} as line_number,
    {{ text("(_payload ->> 'Material')") }} as sku,
    {{ numeric("(_payload ->> 'RequestedQuantity')") }} as quantity,
    {{ numeric("(_payload ->> 'NetAmount')") }} as net_amount,
    {{ currency_iso4217("(_payload ->> 'TransactionCurrency')") }} as currency
from sales_order_item_records
