-- generated from catalog/entities/customer.yaml, catalog/systems/sap.yaml; do not edit (bin/onefold generate)
{{ config(tags=['customer']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with business_partner_records as (
    {{ records_to_map('customer', 'sap', 'business_partner') }}
)

select
    'sap|business_partner|' || _key as _record,
    'sap'::text as _system,
    'business_partner'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ company_name("(_payload ->> 'OrganizationBPName1')", "(_payload ->> 'OrganizationBPName2')") }} as legal_name,
    {{ nip("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerTax.results[*] ? (@.BPTaxType == \"PL1\").BPTaxNumber', '{}', true) #>> '{}')") }} as tax_id_pl,
    {{ regon("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerTax.results[*] ? (@.BPTaxType == \"PL3\").BPTaxNumber', '{}', true) #>> '{}')") }} as regon,
    null::text as krs,
    {{ eu_vat("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerTax.results[*] ? (@.BPTaxType == \"PL0\").BPTaxNumber', '{}', true) #>> '{}')") }} as eu_vat,
    {{ email("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].to_EmailAddress.results[0].EmailAddress', '{}', true) #>> '{}')") }} as email,
    {{ phone_e164("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].to_PhoneNumber.results[0].PhoneNumber', '{}', true) #>> '{}')") }} as phone,
    {{ street("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].StreetName', '{}', true) #>> '{}')", "(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].HouseNumber', '{}', true) #>> '{}')", "(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].HouseNumberSupplementText', '{}', true) #>> '{}')") }} as street,
    {{ postal_code_pl("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].PostalCode', '{}', true) #>> '{}')") }} as postal_code,
    {{ city("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].CityName', '{}', true) #>> '{}')") }} as city,
    {{ country_iso2("(jsonb_path_query_first(_payload, '$.to_BusinessPartnerAddress.results[0].Country', '{}', true) #>> '{}')") }} as country,
    {{ code("(_payload ->> 'BusinessPartnerIsBlocked')", {"false": "active", "true": "inactive"}) }} as status,
    null::numeric as credit_limit,
    null::text as credit_limit_currency,
    null::date as registered_on,
    {{ sap_date_time("(_payload ->> 'LastChangeDate')", "(_payload ->> 'LastChangeTime')") }} as last_changed
from business_partner_records
