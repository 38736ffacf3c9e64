-- generated from catalog/entities/supplier.yaml, catalog/systems/erp.yaml; do not edit (bin/onefold generate)
{{ config(tags=['supplier']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with dostawca_records as (
    {{ records_to_map('supplier', 'erp', 'dostawca') }}
)

select
    'erp|dostawca|' || _key as _record,
    'erp'::text as _system,
    'dostawca'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload ->> 'nazwa')") }} as legal_name,
    {{ nip("(_payload ->> 'nip')") }} as tax_id_pl,
    {{ regon("(_payload ->> 'regon')") }} as regon,
    {{ email("(_payload ->> 'email')") }} as email,
    {{ phone_e164("(_payload ->> 'telefon')") }} as phone,
    {{ street("(_payload ->> 'ulica')", "(_payload ->> 'nr_domu')", "(_payload ->> 'nr_lokalu')") }} as street,
    {{ postal_code_pl("(_payload ->> 'kod_pocztowy')") }} as postal_code,
    {{ city("(_payload ->> 'miejscowosc')") }} as city,
    {{ country_iso2("(_payload ->> 'kraj')") }} as country,
    {{ iban("(_payload ->> 'rachunek_bankowy')") }} as iban,
    {{ currency_iso4217("(_payload ->> 'waluta')") }} as currency,
    {{ code("(_payload ->> 'aktywny')", {"true": "active", "false": "inactive"}) }} as status,
    {{ timestamp_utc("(_payload ->> 'data_modyfikacji')") }} as last_changed
from dostawca_records
