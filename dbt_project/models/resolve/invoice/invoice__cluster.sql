-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('invoice__member') }} as m join {{ ref('invoice__strong') }} as s using (n)
