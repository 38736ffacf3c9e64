-- generated from catalog/entities/customer.yaml, catalog/systems/krs.yaml; do not edit (bin/onefold generate)
{{ config(tags=['customer']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with extract_records as (
    {{ records_to_map('customer', 'krs', 'extract') }}
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
    null::text as eu_vat,
    {{ email("(_payload #>> '{odpis,dane,dzial1,siedzibaIAdres,adresPocztyElektronicznej}')") }} as email,
    null::text as phone,
    {{ street("(_payload #>> '{odpis,dane,dzial1,siedzibaIAdres,adres,ulica}')", "(_payload #>> '{odpis,dane,dzial1,siedzibaIAdres,adres,nrDomu}')", "(_payload #>> '{odpis,dane,dzial1,siedzibaIAdres,adres,nrLokalu}')") }} as street,
    {{ postal_code_pl("(_payload #>> '{odpis,dane,dzial1,siedzibaIAdres,adres,kodPocztowy}')") }} as postal_code,
    {{ city("(_payload #>> '{odpis,dane,dzial1,siedzibaIAdres,adres,miejscowosc}')") }} as city,
    {{ country_iso2("(_payload #>> '{odpis,dane,dzial1,siedzibaIAdres,adres,kraj}')") }} as country,
    null::text as status,
    null::numeric as credit_limit,
    null::text as credit_limit_currency,
    {{ date_pl("(_payload #>> '{odpis,naglowekA,dataRejestracjiWKRS}')") }} as registered_on,
    {{ timestamp_pl("(_payload #>> '{odpis,naglowekA,dataOstatniegoWpisu}')") }} as last_changed
from extract_records
