-- generated from catalog/entities/company.yaml, catalog/systems/krs.yaml; do not edit (bin/onefold generate)
{{ config(tags=['company']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with extract_records as (
    {{ records_to_map('company', 'krs', 'extract') }}
)

select
    'krs|extract|' || _key as _record,
    'krs'::text as _system,
    'extract'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload #>> '{odpis,dane,dzial1,danePodmiotu,nazwa}')") }} as legal_name,
    {{ nip("(_payload #>> '{odpis,dane,dzial1,danePodmiotu,identyfikatory,nip}')") }} as tax_id_pl,
    {{ regon("(_payload #>> '{odpis,dane,dzial1,danePodmiotu,identyfikatory,regon}')") }} as regon,
    {{ krs("(_payload #>> '{odpis,naglowekA,numerKRS}')") }} as krs,
    {{ eu_vat("(_payload #>> '{odpis,dane,dzial1,danePodmiotu,identyfikatory,nip}')") }} as eu_vat,
    {{ legal_form_name("(_payload #>> '{odpis,dane,dzial1,danePodmiotu,formaPrawna}')") }} as legal_form,
    null::text as status,
    null::text as vat_status,
    null::boolean as eu_vat_valid,
    null::text as bank_accounts,
    {{ date_pl("(_payload #>> '{odpis,naglowekA,dataRejestracjiWKRS}')") }} as registered_on,
    null::date as vat_registered_on,
    {{ timestamp_pl("(_payload #>> '{odpis,naglowekA,dataOstatniegoWpisu}')") }} as last_changed
from extract_records
