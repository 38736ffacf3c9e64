-- generated from catalog/entities/customer.yaml, catalog/systems/shop.yaml; do not edit (bin/onefold generate)
{{ config(tags=['customer']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with customer_records as (
    {{ records_to_map('customer', 'shop', 'customer') }}
)

select
    'shop|customer|' || _key as _record,
    'shop'::text as _system,
    'customer'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload #>> '{defaultAddress,company}')") }} as legal_name,
    {{ nip("(_payload #>> '{nip,value}')") }} as tax_id_pl,
    null::text as regon,
    null::text as krs,
    null::text as eu_vat,
    {{ email("(_payload #>> '{defaultEmailAddress,emailAddress}')") }} as email,
    {{ phone_e164("(_payload #>> '{defaultPhoneNumber,phoneNumber}')") }} as phone,
    {{ street("(_payload #>> '{defaultAddress,address1}')") }} as street,
    {{ postal_code_pl("(_payload #>> '{defaultAddress,zip}')") }} as postal_code,
    {{ city("(_payload #>> '{defaultAddress,city}')") }} as city,
    {{ country_iso2("(_payload #>> '{defaultAddress,countryCodeV2}')") }} as country,
    null::text as status,
    null::numeric as credit_limit,
    null::text as credit_limit_currency,
    null::date as registered_on,
    {{ timestamp_utc("(_payload ->> 'updatedAt')") }} as last_changed
from customer_records
