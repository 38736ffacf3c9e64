-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.product_id
    from (
        select record from {{ ref('product__member') }}
        union
        select record from {{ ref('product__changed') }}
    ) as looked_at
    join conformed.product_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.product_id) p.product_id, heir.product_id as merged_into
from previous as p
left join {{ ref('product__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('product__candidate_crosswalk') }} as lives where lives.product_id = p.product_id)
group by p.product_id, heir.product_id
order by p.product_id, (heir.product_id is null), count(*) desc, min(record)
