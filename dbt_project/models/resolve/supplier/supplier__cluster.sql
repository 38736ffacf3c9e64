-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['supplier']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('supplier__member') }} as m join {{ ref('supplier__strong') }} as s using (n)
