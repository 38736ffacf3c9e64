-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['message']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.message_key
    from {{ ref('epuap__message') }} as m
    join {{ ref('message__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.message_key
    from {{ ref('microsoft365__message') }} as m
    join {{ ref('message__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, message_key
from folded
