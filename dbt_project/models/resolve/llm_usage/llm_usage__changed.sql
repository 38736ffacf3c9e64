-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['llm_usage']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('llm_usage',
    systems=['anthropic', 'openai'],
    streams=['anthropic.cost', 'anthropic.usage', 'openai.cost', 'openai.usage']) }}
