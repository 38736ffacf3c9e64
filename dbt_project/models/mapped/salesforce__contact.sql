-- generated from catalog/entities/contact.yaml, catalog/systems/salesforce.yaml; do not edit (bin/onefold generate)
{{ config(tags=['contact']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with contact_records as (
    {{ records_to_map('contact', 'salesforce', 'contact') }}
)

select
    'salesforce|contact|' || _key as _record,
    'salesforce'::text as _system,
    'contact'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'Id')") }} as contact_key,
    'salesforce|account|' || {{ text("(_payload ->> 'AccountId')") }} as customer_record,
    {{ person_name("(_payload ->> 'FirstName')") }} as first_name,
    {{ person_name("(_payload ->> 'LastName')") }} as last_name,
    {{ email("(_payload ->> 'Email')") }} as email,
    {{ phone_e164("(_payload ->> 'Phone')") }} as phone,
    {{ phone_e164("(_payload ->> 'MobilePhone')") }} as mobile,
    {{ text("(_payload ->> 'Title')") }} as position,
    {{ timestamp_utc("(_payload ->> 'SystemModstamp')") }} as last_changed
from contact_records
