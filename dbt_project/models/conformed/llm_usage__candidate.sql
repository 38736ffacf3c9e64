-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['llm_usage']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.llm_usage_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'usage_key' = any (d.disowned) then null else m.usage_key end as usage_key
        , m.provider
        , m.project
        , m.model
        , m.item
        , m.used_on
        , m.input_tokens
        , m.cached_input_tokens
        , m.output_tokens
        , m.requests
        , m.cost
        , m.cost_currency
    from {{ ref('llm_usage__candidate_crosswalk') }} as x
    join {{ ref('anthropic__llm_usage') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('llm_usage__strong') }} as strong join {{ ref('llm_usage__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'anthropic'
    union all
    select x.llm_usage_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'usage_key' = any (d.disowned) then null else m.usage_key end as usage_key
        , m.provider
        , m.project
        , m.model
        , m.item
        , m.used_on
        , m.input_tokens
        , m.cached_input_tokens
        , m.output_tokens
        , m.requests
        , m.cost
        , m.cost_currency
    from {{ ref('llm_usage__candidate_crosswalk') }} as x
    join {{ ref('openai__llm_usage') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('llm_usage__strong') }} as strong join {{ ref('llm_usage__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'openai'
),
ranked as (
    select *
        , row_number() over (
            partition by llm_usage_id order by case system when 'openai' then 1 when 'anthropic' then 2 else 3 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select llm_usage_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(usage_key order by p) as _v_usage_key
        , min(p) filter (where usage_key is not null) as _w_usage_key
        , array_agg(provider order by p) as _v_provider
        , min(p) filter (where provider is not null) as _w_provider
        , array_agg(project order by p) as _v_project
        , min(p) filter (where project is not null) as _w_project
        , array_agg(model order by p) as _v_model
        , min(p) filter (where model is not null) as _w_model
        , array_agg(item order by p) as _v_item
        , min(p) filter (where item is not null) as _w_item
        , array_agg(used_on order by p) as _v_used_on
        , min(p) filter (where used_on is not null) as _w_used_on
        , array_agg(input_tokens order by p) as _v_input_tokens
        , min(p) filter (where input_tokens is not null) as _w_input_tokens
        , array_agg(cached_input_tokens order by p) as _v_cached_input_tokens
        , min(p) filter (where cached_input_tokens is not null) as _w_cached_input_tokens
        , array_agg(output_tokens order by p) as _v_output_tokens
        , min(p) filter (where output_tokens is not null) as _w_output_tokens
        , array_agg(requests order by p) as _v_requests
        , min(p) filter (where requests is not null) as _w_requests
        , array_agg(cost order by p) as _v_cost
        , min(p) filter (where cost is not null) as _w_cost
        , array_agg(cost_currency order by p) as _v_cost_currency
        , min(p) filter (where cost_currency is not null) as _w_cost_currency
    from ranked
    group by llm_usage_id
),
golden as (
    select llm_usage_id
        , _v_usage_key[_w_usage_key] as usage_key
        , _v_provider[_w_provider] as provider
        , _v_project[_w_project] as project
        , _v_model[_w_model] as model
        , _v_item[_w_item] as item
        , _v_used_on[_w_used_on] as used_on
        , _v_input_tokens[_w_input_tokens] as input_tokens
        , _v_cached_input_tokens[_w_cached_input_tokens] as cached_input_tokens
        , _v_output_tokens[_w_output_tokens] as output_tokens
        , _v_requests[_w_requests] as requests
        , _v_cost[_w_cost] as cost
        , _v_cost_currency[_w_cost_currency] as cost_currency
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_usage_key, _w_provider, _w_project, _w_model, _w_item, _w_used_on, _w_input_tokens, _w_cached_input_tokens, _w_output_tokens, _w_requests, _w_cost, _w_cost_currency]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_usage_key[_w_usage_key], _w_usage_key
            , _v_provider[_w_provider], _w_provider
            , _v_project[_w_project], _w_project
            , _v_model[_w_model], _w_model
            , _v_item[_w_item], _w_item
            , _v_used_on[_w_used_on], _w_used_on
            , _v_input_tokens[_w_input_tokens], _w_input_tokens
            , _v_cached_input_tokens[_w_cached_input_tokens], _w_cached_input_tokens
            , _v_output_tokens[_w_output_tokens], _w_output_tokens
            , _v_requests[_w_requests], _w_requests
            , _v_cost[_w_cost], _w_cost
            , _v_cost_currency[_w_cost_currency], _w_cost_currency
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.llm_usage_version as live
    on live.llm_usage_id = golden.llm_usage_id and live._ended_publish_id is null
