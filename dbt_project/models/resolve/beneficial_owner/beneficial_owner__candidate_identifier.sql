-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.owner_key
    from {{ ref('crbr__beneficial_owner') }} as m
    join {{ ref('beneficial_owner__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, owner_key
from folded
