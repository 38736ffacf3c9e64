-- generated from catalog/entities/product.yaml, catalog/systems/salesforce.yaml; do not edit (bin/onefold generate)
{{ config(tags=['product']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with product_records as (
    {{ records_to_map('product', 'salesforce', 'product') }}
)

select
    'salesforce|product|' || _key as _record,
    'salesforce'::text as _system,
    'product'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'StockKeepingUnit')") }} as sku,
    {{ ean("(_payload ->> 'EAN__c')") }} as ean,
    {{ text("(_payload ->> 'Name')") }} as name,
    {{ code("(_payload ->> 'QuantityUnitOfMeasure')", {"szt": "piece", "m": "m", "kg": "kg", "opak": "pack", "Each": "piece"}) }} as unit,
    {{ numeric("(_payload ->> 'ListPrice__c')") }} as net_price,
    {{ currency_iso4217("(_payload ->> 'CurrencyIsoCode')") }} as currency,
    {{ numeric("(_payload ->> 'VatRate__c')") }} as vat_rate,
    {{ boolean("(_payload ->> 'IsActive')") }} as active,
    {{ timestamp_utc("(_payload ->> 'SystemModstamp')") }} as last_changed
from product_records
