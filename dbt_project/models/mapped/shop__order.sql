-- generated from catalog/entities/order.yaml, catalog/systems/shop.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with order_records as (
    {{ records_to_map('order', 'shop', 'order') }}
)

select
    'shop|order|' || _key as _record,
    'shop'::text as _system,
    'order'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'name')") }} as order_number,
    'shop|customer|' || {{ text("(_payload #>> '{customer,id}')") }} as customer_record,
    {{ date_of_moment("(_payload ->> 'processedAt')") }} as ordered_on,
    {{ code("(_payload ->> 'displayFinancialStatus')", "(_payload ->> 'displayFulfillmentStatus')", {"PENDING|UNFULFILLED": "new", "AUTHORIZED|UNFULFILLED": "new", "PARTIALLY_PAID|UNFULFILLED": "confirmed", "PAID|UNFULFILLED": "confirmed", "PENDING|FULFILLED": "shipped", "PAID|FULFILLED": "shipped", "PAID|PARTIALLY_FULFILLED": "shipped", "PARTIALLY_REFUNDED|FULFILLED": "shipped", "REFUNDED|FULFILLED": "cancelled", "REFUNDED|UNFULFILLED": "cancelled", "VOIDED|UNFULFILLED": "cancelled", "EXPIRED|UNFULFILLED": "cancelled"}) }} as status,
    {{ currency_iso4217("(_payload ->> 'currencyCode')") }} as currency,
    {{ numeric("(_payload #>> '{subtotalPriceSet,shopMoney,amount}')") }} as net_amount,
    {{ timestamp_utc("(_payload ->> 'updatedAt')") }} as last_changed
from order_records
