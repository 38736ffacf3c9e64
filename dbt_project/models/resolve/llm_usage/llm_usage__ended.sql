-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['llm_usage']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.llm_usage_id
    from (
        select record from {{ ref('llm_usage__member') }}
        union
        select record from {{ ref('llm_usage__changed') }}
    ) as looked_at
    join conformed.llm_usage_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.llm_usage_id) p.llm_usage_id, heir.llm_usage_id as merged_into
from previous as p
left join {{ ref('llm_usage__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('llm_usage__candidate_crosswalk') }} as lives where lives.llm_usage_id = p.llm_usage_id)
group by p.llm_usage_id, heir.llm_usage_id
order by p.llm_usage_id, (heir.llm_usage_id is null), count(*) desc, min(record)
