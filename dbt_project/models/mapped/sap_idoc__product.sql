-- generated from catalog/entities/product.yaml, catalog/systems/sap_idoc.yaml; do not edit (bin/onefold generate)
{{ config(tags=['product']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with material_records as (
    {{ records_to_map('product', 'sap_idoc', 'material') }}
)

select
    'sap_idoc|material|' || _key as _record,
    'sap_idoc'::text as _system,
    'material'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload #>> '{E1MARAM,MATNR}')") }} as sku,
    {{ ean("(_payload #>> '{E1MARAM,EAN11}')") }} as ean,
    {{ text("(jsonb_path_query_first(_payload, '$.E1MARAM.E1MAKTM[*] ? (@.SPRAS_ISO == \"PL\").MAKTX', '{}', true) #>> '{}')") }} as name,
    {{ code("(_payload #>> '{E1MARAM,MEINS}')", {"PCE": "piece", "ST": "piece", "MTR": "m", "M": "m", "KGM": "kg", "KG": "kg", "PK": "pack", "PAK": "pack"}) }} as unit,
    null::numeric as net_price,
    null::text as currency,
    null::numeric as vat_rate,
    null::boolean as active,
    null::timestamptz as last_changed
from material_records
