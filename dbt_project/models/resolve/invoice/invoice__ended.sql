-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.invoice_id
    from (
        select record from {{ ref('invoice__member') }}
        union
        select record from {{ ref('invoice__changed') }}
    ) as looked_at
    join conformed.invoice_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.invoice_id) p.invoice_id, heir.invoice_id as merged_into
from previous as p
left join {{ ref('invoice__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('invoice__candidate_crosswalk') }} as lives where lives.invoice_id = p.invoice_id)
group by p.invoice_id, heir.invoice_id
order by p.invoice_id, (heir.invoice_id is null), count(*) desc, min(record)
