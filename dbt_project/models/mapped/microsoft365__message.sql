-- generated from catalog/entities/message.yaml, catalog/systems/microsoft365.yaml; do not edit (bin/onefold generate)
{{ config(tags=['message']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with message_records as (
    {{ records_to_map('message', 'microsoft365', 'message') }}
)

select
    'microsoft365|message|' || _key as _record,
    'microsoft365'::text as _system,
    'message'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'userId')", "(_payload ->> 'id')") }} as message_key,
    {{ text("'email'::text") }} as channel,
    {{ text("(_payload ->> 'internetMessageId')") }} as internet_message_id,
    {{ text("(_payload ->> 'subject')") }} as subject,
    {{ email("(_payload #>> '{from,emailAddress,address}')") }} as sender,
    {{ timestamp_utc("(_payload ->> 'receivedDateTime')") }} as received_at,
    {{ boolean("(_payload ->> 'hasAttachments')") }} as has_attachments
from message_records
