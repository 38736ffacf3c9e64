-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.beneficial_owner_id
    from (
        select record from {{ ref('beneficial_owner__member') }}
        union
        select record from {{ ref('beneficial_owner__changed') }}
    ) as looked_at
    join conformed.beneficial_owner_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.beneficial_owner_id) p.beneficial_owner_id, heir.beneficial_owner_id as merged_into
from previous as p
left join {{ ref('beneficial_owner__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('beneficial_owner__candidate_crosswalk') }} as lives where lives.beneficial_owner_id = p.beneficial_owner_id)
group by p.beneficial_owner_id, heir.beneficial_owner_id
order by p.beneficial_owner_id, (heir.beneficial_owner_id is null), count(*) desc, min(record)
