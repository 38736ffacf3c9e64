-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['exchange_rate']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.exchange_rate_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'rate_key' = any (d.disowned) then null else m.rate_key end as rate_key
        , m.rate_table
        , m.currency
        , m.effective_on
        , m.rate
    from {{ ref('exchange_rate__candidate_crosswalk') }} as x
    join {{ ref('nbp__exchange_rate') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('exchange_rate__strong') }} as strong join {{ ref('exchange_rate__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'nbp'
),
ranked as (
    select *
        , row_number() over (
            partition by exchange_rate_id order by case system when 'nbp' then 1 else 2 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select exchange_rate_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(rate_key order by p) as _v_rate_key
        , min(p) filter (where rate_key is not null) as _w_rate_key
        , array_agg(rate_table order by p) as _v_rate_table
        , min(p) filter (where rate_table is not null) as _w_rate_table
        , array_agg(currency order by p) as _v_currency
        , min(p) filter (where currency is not null) as _w_currency
        , array_agg(effective_on order by p) as _v_effective_on
        , min(p) filter (where effective_on is not null) as _w_effective_on
        , array_agg(rate order by p) as _v_rate
        , min(p) filter (where rate is not null) as _w_rate
    from ranked
    group by exchange_rate_id
),
golden as (
    select exchange_rate_id
        , _v_rate_key[_w_rate_key] as rate_key
        , _v_rate_table[_w_rate_table] as rate_table
        , _v_currency[_w_currency] as currency
        , _v_effective_on[_w_effective_on] as effective_on
        , _v_rate[_w_rate] as rate
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_rate_key, _w_rate_table, _w_currency, _w_effective_on, _w_rate]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_rate_key[_w_rate_key], _w_rate_key
            , _v_rate_table[_w_rate_table], _w_rate_table
            , _v_currency[_w_currency], _w_currency
            , _v_effective_on[_w_effective_on], _w_effective_on
            , _v_rate[_w_rate], _w_rate
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.exchange_rate_version as live
    on live.exchange_rate_id = golden.exchange_rate_id and live._ended_publish_id is null
