-- generated from catalog/entities/customer.yaml, catalog/systems/salesforce.yaml; do not edit (bin/onefold generate)
{{ config(tags=['customer']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with account_records as (
    {{ records_to_map('customer', 'salesforce', 'account') }}
)

select
    'salesforce|account|' || _key as _record,
    'salesforce'::text as _system,
    'account'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload ->> 'Name')") }} as legal_name,
    {{ nip("(_payload ->> 'NIP__c')") }} as tax_id_pl,
    {{ regon("(_payload ->> 'REGON__c')") }} as regon,
    {{ krs("nullif(btrim(nullif(btrim((_payload ->> 'KRS__c')), '0000000000')), '---')") }} as krs,
    null::text as eu_vat,
    {{ email("(_payload ->> 'Email__c')") }} as email,
    {{ phone_e164("(_payload ->> 'Phone')") }} as phone,
    {{ street("(_payload ->> 'BillingStreet')") }} as street,
    {{ postal_code_pl("(_payload ->> 'BillingPostalCode')") }} as postal_code,
    {{ city("(_payload ->> 'BillingCity')") }} as city,
    {{ country_iso2("(_payload ->> 'BillingCountry')") }} as country,
    {{ code("(_payload ->> 'Status__c')", {"Active": "active", "Inactive": "inactive", "Prospect": "prospect"}) }} as status,
    {{ numeric("(_payload ->> 'CreditLimit__c')") }} as credit_limit,
    {{ currency_iso4217("(_payload ->> 'CurrencyIsoCode')") }} as credit_limit_currency,
    null::date as registered_on,
    {{ timestamp_utc("(_payload ->> 'SystemModstamp')") }} as last_changed
from account_records
