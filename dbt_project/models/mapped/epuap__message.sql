-- generated from catalog/entities/message.yaml, catalog/systems/epuap.yaml; do not edit (bin/onefold generate)
{{ config(tags=['message']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with document_records as (
    {{ records_to_map('message', 'epuap', 'document') }}
)

select
    'epuap|document|' || _key as _record,
    'epuap'::text as _system,
    'document'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'skrot')") }} as message_key,
    {{ text("'epuap'::text") }} as channel,
    null::text as internet_message_id,
    {{ text("(_payload #>> '{dokument,nazwaPliku}')") }} as subject,
    {{ text("(_payload #>> '{danePodmiotu,identyfikator}')") }} as sender,
    {{ timestamp_utc("(_payload ->> 'dataNadania')") }} as received_at,
    null::boolean as has_attachments
from document_records
