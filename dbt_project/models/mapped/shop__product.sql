-- generated from catalog/entities/product.yaml, catalog/systems/shop.yaml; do not edit (bin/onefold generate)
{{ config(tags=['product']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with product_records as (
    {{ records_to_map('product', 'shop', 'product') }}
)

select
    'shop|product|' || _key as _record,
    'shop'::text as _system,
    'product'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(jsonb_path_query_first(_payload, '$.variants[0].sku', '{}', true) #>> '{}')") }} as sku,
    {{ ean("(jsonb_path_query_first(_payload, '$.variants[0].barcode', '{}', true) #>> '{}')") }} as ean,
    {{ text("(_payload ->> 'title')") }} as name,
    null::text as unit,
    null::numeric as net_price,
    null::text as currency,
    null::numeric as vat_rate,
    null::boolean as active,
    {{ timestamp_utc("(_payload ->> 'updatedAt')") }} as last_changed
from product_records
