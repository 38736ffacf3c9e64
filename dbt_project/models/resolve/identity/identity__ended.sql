-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['identity']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.identity_id
    from (
        select record from {{ ref('identity__member') }}
        union
        select record from {{ ref('identity__changed') }}
    ) as looked_at
    join conformed.identity_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.identity_id) p.identity_id, heir.identity_id as merged_into
from previous as p
left join {{ ref('identity__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('identity__candidate_crosswalk') }} as lives where lives.identity_id = p.identity_id)
group by p.identity_id, heir.identity_id
order by p.identity_id, (heir.identity_id is null), count(*) desc, min(record)
