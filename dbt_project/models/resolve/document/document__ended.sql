-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['document']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.document_id
    from (
        select record from {{ ref('document__member') }}
        union
        select record from {{ ref('document__changed') }}
    ) as looked_at
    join conformed.document_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.document_id) p.document_id, heir.document_id as merged_into
from previous as p
left join {{ ref('document__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('document__candidate_crosswalk') }} as lives where lives.document_id = p.document_id)
group by p.document_id, heir.document_id
order by p.document_id, (heir.document_id is null), count(*) desc, min(record)
