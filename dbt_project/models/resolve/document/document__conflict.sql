-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['document']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('document__strong') }} as s join {{ ref('document__member') }} as m using (n)
    where s.torn
)
select 'document_key' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'document_key' = any (contested) group by document_key
union all
select 'document_key', 'plural', array_agg(record order by record)
from torn where document_key is not null group by unit having min(document_key) <> max(document_key)
