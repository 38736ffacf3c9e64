-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['payment']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('payment__member') }} as m join {{ ref('payment__strong') }} as s using (n)
