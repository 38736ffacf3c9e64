-- generated from catalog/entities/company.yaml, catalog/systems/white_list.yaml; do not edit (bin/onefold generate)
{{ config(tags=['company']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with subject_records as (
    {{ records_to_map('company', 'white_list', 'subject') }}
)

select
    'white_list|subject|' || _key as _record,
    'white_list'::text as _system,
    'subject'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload ->> 'name')") }} as legal_name,
    {{ nip("(_payload ->> 'identifier')") }} as tax_id_pl,
    {{ regon("(_payload ->> 'regon')") }} as regon,
    {{ krs("(_payload ->> 'krs')") }} as krs,
    {{ eu_vat("(_payload ->> 'identifier')") }} as eu_vat,
    null::text as legal_form,
    null::text as status,
    {{ code("(_payload ->> 'statusVat')", {"Czynny": "active", "Zwolniony": "exempt", "Niezarejestrowany": "not_registered"}) }} as vat_status,
    null::boolean as eu_vat_valid,
    {{ words("nullif(btrim((_payload ->> 'accountNumbers')), '[]')") }} as bank_accounts,
    null::date as registered_on,
    {{ date_iso("(_payload ->> 'registrationLegalDate')") }} as vat_registered_on,
    null::timestamptz as last_changed
from subject_records
