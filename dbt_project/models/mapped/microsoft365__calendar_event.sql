-- generated from catalog/entities/calendar_event.yaml, catalog/systems/microsoft365.yaml; do not edit (bin/onefold generate)
{{ config(tags=['calendar_event']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with calendar_event_records as (
    {{ records_to_map('calendar_event', 'microsoft365', 'calendar_event') }}
)

select
    'microsoft365|calendar_event|' || _key as _record,
    'microsoft365'::text as _system,
    'calendar_event'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'userId')", "(_payload ->> 'id')") }} as event_key,
    {{ text("(_payload ->> 'iCalUId')") }} as meeting_key,
    {{ text("(_payload ->> 'subject')") }} as subject,
    {{ email("(_payload #>> '{organizer,emailAddress,address}')") }} as organizer_email,
    {{ timestamp_utc("(_payload #>> '{start,dateTime}')") }} as starts_at,
    {{ timestamp_utc("(_payload #>> '{end,dateTime}')") }} as ends_at,
    {{ boolean("(_payload ->> 'isAllDay')") }} as all_day,
    {{ boolean("(_payload ->> 'isCancelled')") }} as cancelled,
    {{ boolean("(_payload ->> 'isOnlineMeeting')") }} as online,
    {{ timestamp_utc("(_payload ->> 'lastModifiedDateTime')") }} as last_changed
from calendar_event_records
