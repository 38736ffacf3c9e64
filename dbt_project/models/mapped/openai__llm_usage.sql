-- generated from catalog/entities/llm_usage.yaml, catalog/systems/openai.yaml; do not edit (bin/onefold generate)
{{ config(tags=['llm_usage']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with cost_records as (
    {{ records_to_map('llm_usage', 'openai', 'cost') }}
),
usage_records as (
    {{ records_to_map('llm_usage', 'openai', 'usage') }}
)

select
    'openai|cost|' || _key as _record,
    'openai'::text as _system,
    'cost'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'start_time')", "(_payload ->> 'project_id')", "(_payload ->> 'line_item')", "(_payload #>> '{amount,currency}')") }} as usage_key,
    {{ text("'openai'::text") }} as provider,
    {{ text("(_payload ->> 'project_id')") }} as project,
    null::text as model,
    {{ text("(_payload ->> 'line_item')") }} as item,
    {{ date_unix_utc("(_payload ->> 'start_time')") }} as used_on,
    null::numeric as input_tokens,
    null::numeric as cached_input_tokens,
    null::numeric as output_tokens,
    null::numeric as requests,
    {{ numeric("(_payload #>> '{amount,value}')") }} as cost,
    {{ currency_iso4217("(_payload #>> '{amount,currency}')") }} as cost_currency
from cost_records

union all

select
    'openai|usage|' || _key as _record,
    'openai'::text as _system,
    'usage'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'start_time')", "(_payload ->> 'project_id')", "(_payload ->> 'model')") }} as usage_key,
    {{ text("'openai'::text") }} as provider,
    {{ text("(_payload ->> 'project_id')") }} as project,
    {{ text("(_payload ->> 'model')") }} as model,
    null::text as item,
    {{ date_unix_utc("(_payload ->> 'start_time')") }} as used_on,
    {{ numeric("(_payload ->> 'input_tokens')") }} as input_tokens,
    {{ numeric("(_payload ->> 'input_cached_tokens')") }} as cached_input_tokens,
    {{ numeric("(_payload ->> 'output_tokens')") }} as output_tokens,
    {{ numeric("(_payload ->> 'num_model_requests')") }} as requests,
    null::numeric as cost,
    null::text as cost_currency
from usage_records
