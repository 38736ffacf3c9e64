-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['supplier']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.supplier_id
    from (
        select record from {{ ref('supplier__member') }}
        union
        select record from {{ ref('supplier__changed') }}
    ) as looked_at
    join conformed.supplier_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.supplier_id) p.supplier_id, heir.supplier_id as merged_into
from previous as p
left join {{ ref('supplier__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('supplier__candidate_crosswalk') }} as lives where lives.supplier_id = p.supplier_id)
group by p.supplier_id, heir.supplier_id
order by p.supplier_id, (heir.supplier_id is null), count(*) desc, min(record)
