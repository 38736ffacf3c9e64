-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['identity']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.email
    from {{ ref('keycloak__identity') }} as m
    join {{ ref('identity__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.email
    from {{ ref('microsoft365__identity') }} as m
    join {{ ref('identity__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, email
from folded
