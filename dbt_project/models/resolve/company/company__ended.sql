-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['company']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.company_id
    from (
        select record from {{ ref('company__member') }}
        union
        select record from {{ ref('company__changed') }}
    ) as looked_at
    join conformed.company_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.company_id) p.company_id, heir.company_id as merged_into
from previous as p
left join {{ ref('company__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('company__candidate_crosswalk') }} as lives where lives.company_id = p.company_id)
group by p.company_id, heir.company_id
order by p.company_id, (heir.company_id is null), count(*) desc, min(record)
