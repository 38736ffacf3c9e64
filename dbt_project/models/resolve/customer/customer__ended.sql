-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped') }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, customer_id from conformed.customer_crosswalk_version
    where _ended_publish_id is null and (
        record in (select record from {{ ref('customer__member') }})
        or record in (select record from {{ ref('customer__changed') }}))
)
select distinct on (p.customer_id) p.customer_id, heir.customer_id as merged_into
from previous as p
left join {{ ref('customer__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('customer__candidate_crosswalk') }} as lives where lives.customer_id = p.customer_id)
group by p.customer_id, heir.customer_id
order by p.customer_id, (heir.customer_id is null), count(*) desc, min(record)
