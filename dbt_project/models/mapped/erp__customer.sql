-- generated from catalog/entities/customer.yaml, catalog/systems/erp.yaml; do not edit (bin/onefold generate)
{{ config(tags=['customer']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with klient_records as (
    {{ records_to_map('customer', 'erp', 'klient') }}
)

select
    'erp|klient|' || _key as _record,
    'erp'::text as _system,
    'klient'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload ->> 'nazwa')") }} as legal_name,
    {{ nip("(_payload ->> 'nip')") }} as tax_id_pl,
    {{ regon("(_payload ->> 'regon')") }} as regon,
    null::text as krs,
    null::text as eu_vat,
    {{ email("(_payload ->> 'email')") }} as email,
    {{ phone_e164("(_payload ->> 'telefon')") }} as phone,
    {{ street("(_payload ->> 'ulica')", "(_payload ->> 'nr_domu')", "(_payload ->> 'nr_lokalu')") }} as street,
    {{ postal_code_pl("(_payload ->> 'kod_pocztowy')") }} as postal_code,
    {{ city("(_payload ->> 'miejscowosc')") }} as city,
    {{ country_iso2("(_payload ->> 'kraj')") }} as country,
    {{ code("(_payload ->> 'aktywny')", {"true": "active", "false": "inactive"}) }} as status,
    null::numeric as credit_limit,
    null::text as credit_limit_currency,
    null::date as registered_on,
    {{ timestamp_utc("(_payload ->> 'data_modyfikacji')") }} as last_changed
from klient_records
