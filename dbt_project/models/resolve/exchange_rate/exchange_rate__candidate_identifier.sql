-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['exchange_rate']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.rate_key
    from {{ ref('nbp__exchange_rate') }} as m
    join {{ ref('exchange_rate__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, rate_key
from folded
