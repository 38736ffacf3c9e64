-- generated from catalog/entities/identity.yaml, catalog/systems/keycloak.yaml; do not edit (bin/onefold generate)
{{ config(tags=['identity']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with user_records as (
    {{ records_to_map('identity', 'keycloak', 'user') }}
)

select
    'keycloak|user|' || _key as _record,
    'keycloak'::text as _system,
    'user'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ email("(_payload ->> 'email')") }} as email,
    {{ text("(_payload ->> 'username')") }} as username,
    {{ person_name("(_payload ->> 'firstName')") }} as first_name,
    {{ person_name("(_payload ->> 'lastName')") }} as last_name,
    {{ boolean("(_payload ->> 'enabled')") }} as enabled
from user_records
