-- generated from catalog/entities/order.yaml, catalog/systems/salesforce.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with order_records as (
    {{ records_to_map('order', 'salesforce', 'order') }}
)

select
    'salesforce|order|' || _key as _record,
    'salesforce'::text as _system,
    'order'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'PoNumber')") }} as order_number,
    'salesforce|account|' || {{ text("(_payload ->> 'AccountId')") }} as customer_record,
    {{ date_iso("(_payload ->> 'EffectiveDate')") }} as ordered_on,
    {{ code("(_payload ->> 'Status')", {"Draft": "new", "Activated": "confirmed", "Shipped": "shipped", "Completed": "completed", "Cancelled": "cancelled"}) }} as status,
    {{ currency_iso4217("(_payload ->> 'CurrencyIsoCode')") }} as currency,
    {{ numeric("(_payload ->> 'TotalAmount')") }} as net_amount,
    {{ timestamp_utc("(_payload ->> 'SystemModstamp')") }} as last_changed
from order_records
