-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.contact_id
    from (
        select record from {{ ref('contact__member') }}
        union
        select record from {{ ref('contact__changed') }}
    ) as looked_at
    join conformed.contact_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.contact_id) p.contact_id, heir.contact_id as merged_into
from previous as p
left join {{ ref('contact__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('contact__candidate_crosswalk') }} as lives where lives.contact_id = p.contact_id)
group by p.contact_id, heir.contact_id
order by p.contact_id, (heir.contact_id is null), count(*) desc, min(record)
