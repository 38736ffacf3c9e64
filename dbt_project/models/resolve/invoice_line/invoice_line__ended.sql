-- generated from catalog/entities/invoice_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice_line']) }}

-- The ids that end with this publish, and the golden record that took in most of their members.
with previous as materialized (
    select record, v.invoice_line_id
    from (
        select record from {{ ref('invoice_line__member') }}
        union
        select record from {{ ref('invoice_line__changed') }}
    ) as looked_at
    join conformed.invoice_line_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
select distinct on (p.invoice_line_id) p.invoice_line_id, heir.invoice_line_id as merged_into
from previous as p
left join {{ ref('invoice_line__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('invoice_line__candidate_crosswalk') }} as lives where lives.invoice_line_id = p.invoice_line_id)
group by p.invoice_line_id, heir.invoice_line_id
order by p.invoice_line_id, (heir.invoice_line_id is null), count(*) desc, min(record)
