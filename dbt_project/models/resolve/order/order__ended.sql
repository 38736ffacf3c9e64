-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.order_id
    from (
        select record from {{ ref('order__member') }}
        union
        select record from {{ ref('order__changed') }}
    ) as looked_at
    join conformed.order_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.order_id) p.order_id, heir.order_id as merged_into
from previous as p
left join {{ ref('order__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('order__candidate_crosswalk') }} as lives where lives.order_id = p.order_id)
group by p.order_id, heir.order_id
order by p.order_id, (heir.order_id is null), count(*) desc, min(record)
