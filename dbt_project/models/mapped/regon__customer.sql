-- generated from catalog/entities/customer.yaml, catalog/systems/regon.yaml; do not edit (bin/onefold generate)
{{ config(tags=['customer']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with entity_records as (
    {{ records_to_map('customer', 'regon', 'entity') }}
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
    null::text as eu_vat,
    null::text as email,
    null::text as phone,
    {{ street("(_payload ->> 'Ulica')", "(_payload ->> 'NrNieruchomosci')", "(_payload ->> 'NrLokalu')") }} as street,
    {{ postal_code_pl("(_payload ->> 'KodPocztowy')") }} as postal_code,
    {{ city("(_payload ->> 'Miejscowosc')") }} as city,
    {{ country_iso2("'PL'::text") }} as country,
    {{ status_by_end_date("(_payload ->> 'DataZakonczeniaDzialalnosci')") }} as status,
    null::numeric as credit_limit,
    null::text as credit_limit_currency,
    null::date as registered_on,
    null::timestamptz as last_changed
from entity_records
