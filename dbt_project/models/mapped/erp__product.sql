-- generated from catalog/entities/product.yaml, catalog/systems/erp.yaml; do not edit (bin/onefold generate)
{{ config(tags=['product']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with towar_records as (
    {{ records_to_map('product', 'erp', 'towar') }}
)

select
    'erp|towar|' || _key as _record,
    'erp'::text as _system,
    'towar'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'indeks')") }} as sku,
    {{ ean("(_payload ->> 'ean')") }} as ean,
    {{ text("(_payload ->> 'nazwa')") }} as name,
    {{ code("(_payload ->> 'jm')", {"szt": "piece", "m": "m", "kg": "kg", "opak": "pack"}) }} as unit,
    {{ numeric("(_payload ->> 'cena_netto')") }} as net_price,
    {{ currency_iso4217("(_payload ->> 'waluta')") }} as currency,
    {{ numeric("(_payload ->> 'stawka_vat')") }} as vat_rate,
    {{ boolean("(_payload ->> 'aktywny')") }} as active,
    {{ timestamp_utc("(_payload ->> 'data_modyfikacji')") }} as last_changed
from towar_records
