-- generated from catalog/entities/order_line.yaml, catalog/systems/salesforce.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order_line']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with order_item_records as (
    {{ records_to_map('order_line', 'salesforce', 'order_item') }}
)

select
    'salesforce|order_item|' || _key as _record,
    'salesforce'::text as _system,
    'order_item'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'Id')") }} as line_key,
    'salesforce|order|' || {{ text("(_payload ->> 'OrderId')") }} as order_record,
    {{ text("(_payload ->> 'OrderItemNumber')") }} as line_number,
    {{ text("(_payload #>> '{Product2,StockKeepingUnit}')") }} as sku,
    {{ numeric("(_payload ->> 'Quantity')") }} as quantity,
    {{ numeric("(_payload ->> 'TotalPrice')") }} as net_amount,
    {{ currency_iso4217("(_payload ->> 'CurrencyIsoCode')") }} as currency
from order_item_records
