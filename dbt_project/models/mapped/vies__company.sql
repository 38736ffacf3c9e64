-- generated from catalog/entities/company.yaml, catalog/systems/vies.yaml; do not edit (bin/onefold generate)
{{ config(tags=['company']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with number_records as (
    {{ records_to_map('company', 'vies', 'number') }}
)

select
    'vies|number|' || _key as _record,
    'vies'::text as _system,
    'number'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("nullif(btrim((_payload ->> 'name')), '---')") }} as legal_name,
    null::text as tax_id_pl,
    null::text as regon,
    null::text as krs,
    {{ eu_vat("(_payload ->> 'vat')") }} as eu_vat,
    null::text as legal_form,
    null::text as status,
    null::text as vat_status,
    {{ boolean("(_payload ->> 'valid')") }} as eu_vat_valid,
    null::text as bank_accounts,
    null::date as registered_on,
    null::date as vat_registered_on,
    null::timestamptz as last_changed
from number_records
