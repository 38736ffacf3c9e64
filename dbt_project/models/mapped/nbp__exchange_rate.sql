-- generated from catalog/entities/exchange_rate.yaml, catalog/systems/nbp.yaml; do not edit (bin/onefold generate)
{{ config(tags=['exchange_rate']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with rate_records as (
    {{ records_to_map('exchange_rate', 'nbp', 'rate') }}
)

select
    'nbp|rate|' || _key as _record,
    'nbp'::text as _system,
    'rate'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'no')", "(_payload ->> 'code')") }} as rate_key,
    {{ text("(_payload ->> 'table')") }} as rate_table,
    {{ currency_iso4217("(_payload ->> 'code')") }} as currency,
    {{ date_iso("(_payload ->> 'effectiveDate')") }} as effective_on,
    {{ numeric("(_payload ->> 'mid')") }} as rate
from rate_records
