-- generated from catalog/entities/company.yaml, catalog/systems/regon.yaml; do not edit (bin/onefold generate)
{{ config(tags=['company']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with entity_records as (
    {{ records_to_map('company', 'regon', 'entity') }}
)

select
    'regon|entity|' || _key as _record,
    'regon'::text as _system,
    'entity'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload ->> 'Nazwa')") }} as legal_name,
    {{ nip("(_payload ->> 'Nip')") }} as tax_id_pl,
    {{ regon("(_payload ->> 'Regon')") }} as regon,
    null::text as krs,
    {{ eu_vat("(_payload ->> 'Nip')") }} as eu_vat,
    null::text as legal_form,
    {{ status_by_end_date("(_payload ->> 'DataZakonczeniaDzialalnosci')") }} as status,
    null::text as vat_status,
    null::boolean as eu_vat_valid,
    null::text as bank_accounts,
    null::date as registered_on,
    null::date as vat_registered_on,
    null::timestamptz as last_changed
from entity_records
