-- generated from catalog/entities/identity.yaml, catalog/systems/microsoft365.yaml; do not edit (bin/onefold generate)
{{ config(tags=['identity']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with user_records as (
    {{ records_to_map('identity', 'microsoft365', 'user') }}
)

select
    'microsoft365|user|' || _key as _record,
    'microsoft365'::text as _system,
    'user'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ email("(_payload ->> 'mail')") }} as email,
    {{ text("(_payload ->> 'userPrincipalName')") }} as username,
    {{ person_name("(_payload ->> 'givenName')") }} as first_name,
    {{ person_name("(_payload ->> 'surname')") }} as last_name,
    {{ boolean("(_payload ->> 'accountEnabled')") }} as enabled
from user_records
