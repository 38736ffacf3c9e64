-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['payment']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.payment_id
    from (
        select record from {{ ref('payment__member') }}
        union
        select record from {{ ref('payment__changed') }}
    ) as looked_at
    join conformed.payment_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.payment_id) p.payment_id, heir.payment_id as merged_into
from previous as p
left join {{ ref('payment__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('payment__candidate_crosswalk') }} as lives where lives.payment_id = p.payment_id)
group by p.payment_id, heir.payment_id
order by p.payment_id, (heir.payment_id is null), count(*) desc, min(record)
