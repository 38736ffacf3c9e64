-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['calendar_event']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.calendar_event_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'event_key' = any (d.disowned) then null else m.event_key end as event_key
        , m.meeting_key
        , m.subject
        , m.organizer_email
        , m.starts_at
        , m.ends_at
        , m.all_day
        , m.cancelled
        , m.online
        , m.last_changed
    from {{ ref('calendar_event__candidate_crosswalk') }} as x
    join {{ ref('microsoft365__calendar_event') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('calendar_event__strong') }} as strong join {{ ref('calendar_event__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'microsoft365'
),
ranked as (
    select *
        , row_number() over (
            partition by calendar_event_id order by case system when 'microsoft365' then 1 else 2 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select calendar_event_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(event_key order by p) as _v_event_key
        , min(p) filter (where event_key is not null) as _w_event_key
        , array_agg(meeting_key order by p) as _v_meeting_key
        , min(p) filter (where meeting_key is not null) as _w_meeting_key
        , array_agg(subject order by p) as _v_subject
        , min(p) filter (where subject is not null) as _w_subject
        , array_agg(organizer_email order by p) as _v_organizer_email
        , min(p) filter (where organizer_email is not null) as _w_organizer_email
        , array_agg(starts_at order by p) as _v_starts_at
        , min(p) filter (where starts_at is not null) as _w_starts_at
        , array_agg(ends_at order by p) as _v_ends_at
        , min(p) filter (where ends_at is not null) as _w_ends_at
        , array_agg(all_day order by p) as _v_all_day
        , min(p) filter (where all_day is not null) as _w_all_day
        , array_agg(cancelled order by p) as _v_cancelled
        , min(p) filter (where cancelled is not null) as _w_cancelled
        , array_agg(online order by p) as _v_online
        , min(p) filter (where online is not null) as _w_online
        , array_agg(last_changed order by p) as _v_last_changed
        , min(p) filter (where last_changed is not null) as _w_last_changed
    from ranked
    group by calendar_event_id
),
golden as (
    select calendar_event_id
        , _v_event_key[_w_event_key] as event_key
        , _v_meeting_key[_w_meeting_key] as meeting_key
        , _v_subject[_w_subject] as subject
        , _v_organizer_email[_w_organizer_email] as organizer_email
        , _v_starts_at[_w_starts_at] as starts_at
        , _v_ends_at[_w_ends_at] as ends_at
        , _v_all_day[_w_all_day] as all_day
        , _v_cancelled[_w_cancelled] as cancelled
        , _v_online[_w_online] as online
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_event_key, _w_meeting_key, _w_subject, _w_organizer_email, _w_starts_at, _w_ends_at, _w_all_day, _w_cancelled, _w_online, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_event_key[_w_event_key], _w_event_key
            , _v_meeting_key[_w_meeting_key], _w_meeting_key
            , _v_subject[_w_subject], _w_subject
            , _v_organizer_email[_w_organizer_email], _w_organizer_email
            , extract(epoch from _v_starts_at[_w_starts_at]), _w_starts_at
            , extract(epoch from _v_ends_at[_w_ends_at]), _w_ends_at
            , _v_all_day[_w_all_day], _w_all_day
            , _v_cancelled[_w_cancelled], _w_cancelled
            , _v_online[_w_online], _w_online
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.calendar_event_version as live
    on live.calendar_event_id = golden.calendar_event_id and live._ended_publish_id is null
