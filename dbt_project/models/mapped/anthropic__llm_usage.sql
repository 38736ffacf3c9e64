-- generated from catalog/entities/llm_usage.yaml, catalog/systems/anthropic.yaml; do not edit (bin/onefold generate)
{{ config(tags=['llm_usage']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with cost_records as (
    {{ records_to_map('llm_usage', 'anthropic', 'cost') }}
),
usage_records as (
    {{ records_to_map('llm_usage', 'anthropic', 'usage') }}
)

select
    'anthropic|cost|' || _key as _record,
    'anthropic'::text as _system,
    'cost'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'starting_at')", "(_payload ->> 'workspace_id')", "(_payload ->> 'description')", "(_payload ->> 'currency')") }} as usage_key,
    {{ text("'anthropic'::text") }} as provider,
    {{ text("(_payload ->> 'workspace_id')") }} as project,
    {{ text("(_payload ->> 'model')") }} as model,
    {{ text("(_payload ->> 'description')") }} as item,
    {{ date_utc("(_payload ->> 'starting_at')") }} as used_on,
    null::numeric as input_tokens,
    null::numeric as cached_input_tokens,
    null::numeric as output_tokens,
    null::numeric as requests,
    {{ cents("(_payload ->> 'amount')") }} as cost,
    {{ currency_iso4217("(_payload ->> 'currency')") }} as cost_currency
from cost_records

union all

select
    'anthropic|usage|' || _key as _record,
    'anthropic'::text as _system,
    'usage'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'starting_at')", "(_payload ->> 'workspace_id')", "(_payload ->> 'model')") }} as usage_key,
    {{ text("'anthropic'::text") }} as provider,
    {{ text("(_payload ->> 'workspace_id')") }} as project,
    {{ text("(_payload ->> 'model')") }} as model,
    null::text as item,
    {{ date_utc("(_payload ->> 'starting_at')") }} as used_on,
    {{ total("(_payload ->> 'uncached_input_tokens')", "(_payload ->> 'cache_read_input_tokens')", "(_payload #>> '{cache_creation,ephemeral_5m_input_tokens}')", "(_payload #>> '{cache_creation,ephemeral_1h_input_tokens}')") }} as input_tokens,
    {{ numeric("(_payload ->> 'cache_read_input_tokens')") }} as cached_input_tokens,
    {{ numeric("(_payload ->> 'output_tokens')") }} as output_tokens,
    null::numeric as requests,
    null::numeric as cost,
    null::text as cost_currency
from usage_records
