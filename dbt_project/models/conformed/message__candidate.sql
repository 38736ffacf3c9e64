-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['message']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.message_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'message_key' = any (d.disowned) then null else m.message_key end as message_key
        , m.channel
        , m.internet_message_id
        , m.subject
        , m.sender
        , m.received_at
        , m.has_attachments
    from {{ ref('message__candidate_crosswalk') }} as x
    join {{ ref('epuap__message') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('message__strong') }} as strong join {{ ref('message__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'epuap'
    union all
    select x.message_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'message_key' = any (d.disowned) then null else m.message_key end as message_key
        , m.channel
        , m.internet_message_id
        , m.subject
        , m.sender
        , m.received_at
        , m.has_attachments
    from {{ ref('message__candidate_crosswalk') }} as x
    join {{ ref('microsoft365__message') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('message__strong') }} as strong join {{ ref('message__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'microsoft365'
),
ranked as (
    select *
        , row_number() over (
            partition by message_id order by case system when 'microsoft365' then 1 when 'epuap' then 2 else 3 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select message_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(message_key order by p) as _v_message_key
        , min(p) filter (where message_key is not null) as _w_message_key
        , array_agg(channel order by p) as _v_channel
        , min(p) filter (where channel is not null) as _w_channel
        , array_agg(internet_message_id order by p) as _v_internet_message_id
        , min(p) filter (where internet_message_id is not null) as _w_internet_message_id
        , array_agg(subject order by p) as _v_subject
        , min(p) filter (where subject is not null) as _w_subject
        , array_agg(sender order by p) as _v_sender
        , min(p) filter (where sender is not null) as _w_sender
        , array_agg(received_at order by p) as _v_received_at
        , min(p) filter (where received_at is not null) as _w_received_at
        , array_agg(has_attachments order by p) as _v_has_attachments
        , min(p) filter (where has_attachments is not null) as _w_has_attachments
    from ranked
    group by message_id
),
golden as (
    select message_id
        , _v_message_key[_w_message_key] as message_key
        , _v_channel[_w_channel] as channel
        , _v_internet_message_id[_w_internet_message_id] as internet_message_id
        , _v_subject[_w_subject] as subject
        , _v_sender[_w_sender] as sender
        , _v_received_at[_w_received_at] as received_at
        , _v_has_attachments[_w_has_attachments] as has_attachments
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_message_key, _w_channel, _w_internet_message_id, _w_subject, _w_sender, _w_received_at, _w_has_attachments]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_message_key[_w_message_key], _w_message_key
            , _v_channel[_w_channel], _w_channel
            , _v_internet_message_id[_w_internet_message_id], _w_internet_message_id
            , _v_subject[_w_subject], _w_subject
            , _v_sender[_w_sender], _w_sender
            , extract(epoch from _v_received_at[_w_received_at]), _w_received_at
            , _v_has_attachments[_w_has_attachments], _w_has_attachments
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.message_version as live
    on live.message_id = golden.message_id and live._ended_publish_id is null
