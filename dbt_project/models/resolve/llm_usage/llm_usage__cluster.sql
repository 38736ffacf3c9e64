-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['llm_usage']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('llm_usage__member') }} as m join {{ ref('llm_usage__strong') }} as s using (n)
