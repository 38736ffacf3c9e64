-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['message']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.message_id
    from (
        select record from {{ ref('message__member') }}
        union
        select record from {{ ref('message__changed') }}
    ) as looked_at
    join conformed.message_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.message_id) p.message_id, heir.message_id as merged_into
from previous as p
left join {{ ref('message__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('message__candidate_crosswalk') }} as lives where lives.message_id = p.message_id)
group by p.message_id, heir.message_id
order by p.message_id, (heir.message_id is null), count(*) desc, min(record)
