-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['exchange_rate']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.exchange_rate_id
    from (
        select record from {{ ref('exchange_rate__member') }}
        union
        select record from {{ ref('exchange_rate__changed') }}
    ) as looked_at
    join conformed.exchange_rate_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.exchange_rate_id) p.exchange_rate_id, heir.exchange_rate_id as merged_into
from previous as p
left join {{ ref('exchange_rate__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('exchange_rate__candidate_crosswalk') }} as lives where lives.exchange_rate_id = p.exchange_rate_id)
group by p.exchange_rate_id, heir.exchange_rate_id
order by p.exchange_rate_id, (heir.exchange_rate_id is null), count(*) desc, min(record)
