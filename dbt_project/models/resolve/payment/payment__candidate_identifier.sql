-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['payment']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.payment_key
    from {{ ref('accounting__payment') }} as m
    join {{ ref('payment__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.payment_key
    from {{ ref('stripe__payment') }} as m
    join {{ ref('payment__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, payment_key
from folded
