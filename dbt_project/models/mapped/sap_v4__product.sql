-- generated from catalog/entities/product.yaml, catalog/systems/sap_v4.yaml; do not edit (bin/onefold generate)
{{ config(tags=['product']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with product_records as (
    {{ records_to_map('product', 'sap_v4', 'product') }}
)

select
    'sap_v4|product|' || _key as _record,
    'sap_v4'::text as _system,
    'product'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'Product')") }} as sku,
    {{ ean("(_payload ->> 'ProductStandardID')") }} as ean,
    {{ text("(jsonb_path_query_first(_payload, '$._ProductDescription[*] ? (@.Language == \"PL\").ProductDescription', '{}', true) #>> '{}')") }} as name,
    {{ code("(_payload ->> 'BaseUnit')", {"ST": "piece", "PC": "piece", "M": "m", "KG": "kg", "PAK": "pack"}) }} as unit,
    null::numeric as net_price,
    null::text as currency,
    null::numeric as vat_rate,
    null::boolean as active,
    {{ timestamp_utc("(_payload ->> 'LastChangeDateTime')") }} as last_changed
from product_records
