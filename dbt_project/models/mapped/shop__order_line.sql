-- generated from catalog/entities/order_line.yaml, catalog/systems/shop.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order_line']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with order_line_records as (
    {{ records_to_map('order_line', 'shop', 'order_line') }}
)

select
    'shop|order_line|' || _key as _record,
    'shop'::text as _system,
    'order_line'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload #>> '{parent,id}')", "(_payload ->> 'id')") }} as line_key,
    'shop|order|' || {{ text("(_payload #>> '{parent,id}')") }} as order_record,
    null::text as line_number,
    {{ text("(_payload ->> 'sku')") }} as sku,
    {{ numeric("(_payload ->> 'quantity')") }} as quantity,
    {{ numeric("(_payload #>> '{originalTotalSet,shopMoney,amount}')") }} as net_amount,
    {{ currency_iso4217("(_payload #>> '{originalUnitPriceSet,shopMoney,currencyCode}')") }} as currency
from order_line_records
