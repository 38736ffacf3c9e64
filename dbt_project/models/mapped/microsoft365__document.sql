-- generated from catalog/entities/document.yaml, catalog/systems/microsoft365.yaml; do not edit (bin/onefold generate)
{{ config(tags=['document']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with document_records as (
    {{ records_to_map('document', 'microsoft365', 'document') }}
)

select
    'microsoft365|document|' || _key as _record,
    'microsoft365'::text as _system,
    'document'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'userId')", "(_payload ->> 'id')") }} as document_key,
    {{ text("(_payload ->> 'name')") }} as name,
    {{ text("(_payload #>> '{parentReference,path}')") }} as folder,
    {{ text("(_payload #>> '{file,mimeType}')") }} as mime_type,
    {{ numeric("(_payload ->> 'size')") }} as size_bytes,
    {{ email("(_payload #>> '{lastModifiedBy,user,email}')") }} as modified_by,
    {{ timestamp_utc("(_payload ->> 'createdDateTime')") }} as created_at,
    {{ timestamp_utc("(_payload ->> 'lastModifiedDateTime')") }} as last_changed
from document_records
