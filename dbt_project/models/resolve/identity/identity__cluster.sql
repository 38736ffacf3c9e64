-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['identity']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('identity__member') }} as m join {{ ref('identity__strong') }} as s using (n)
