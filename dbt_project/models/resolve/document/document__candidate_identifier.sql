-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['document']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.document_key
    from {{ ref('microsoft365__document') }} as m
    join {{ ref('document__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, document_key
from folded
