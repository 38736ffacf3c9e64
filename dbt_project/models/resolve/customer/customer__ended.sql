-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['customer']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.customer_id
    from (
        select record from {{ ref('customer__member') }}
        union
        select record from {{ ref('customer__changed') }}
    ) as looked_at
    join conformed.customer_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.customer_id) p.customer_id, heir.customer_id as merged_into
from previous as p
left join {{ ref('customer__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('customer__candidate_crosswalk') }} as lives where lives.customer_id = p.customer_id)
group by p.customer_id, heir.customer_id
order by p.customer_id, (heir.customer_id is null), count(*) desc, min(record)
