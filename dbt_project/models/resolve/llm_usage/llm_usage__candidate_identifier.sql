-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['llm_usage']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.usage_key
    from {{ ref('anthropic__llm_usage') }} as m
    join {{ ref('llm_usage__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
    union all
    select m._record collate "C" as record, m._load_id, m.usage_key
    from {{ ref('openai__llm_usage') }} as m
    join {{ ref('llm_usage__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, usage_key
from folded
