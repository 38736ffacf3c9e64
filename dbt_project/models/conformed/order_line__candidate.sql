-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order_line']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.order_line_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'line_key' = any (d.disowned) then null else m.line_key end as line_key
        , m.order_record
        , m.line_number
        , m.sku
        , m.quantity
        , m.net_amount
        , m.currency
    from {{ ref('order_line__candidate_crosswalk') }} as x
    join {{ ref('erp__order_line') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order_line__strong') }} as strong join {{ ref('order_line__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'erp'
    union all
    select x.order_line_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'line_key' = any (d.disowned) then null else m.line_key end as line_key
        , m.order_record
        , m.line_number
        , m.sku
        , m.quantity
        , m.net_amount
        , m.currency
    from {{ ref('order_line__candidate_crosswalk') }} as x
    join {{ ref('salesforce__order_line') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order_line__strong') }} as strong join {{ ref('order_line__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'salesforce'
    union all
    select x.order_line_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'line_key' = any (d.disowned) then null else m.line_key end as line_key
        , m.order_record
        , m.line_number
        , m.sku
        , m.quantity
        , m.net_amount
        , m.currency
    from {{ ref('order_line__candidate_crosswalk') }} as x
    join {{ ref('sap__order_line') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order_line__strong') }} as strong join {{ ref('order_line__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'sap'
    union all
    select x.order_line_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'line_key' = any (d.disowned) then null else m.line_key end as line_key
        , m.order_record
        , m.line_number
        , m.sku
        , m.quantity
        , m.net_amount
        , m.currency
    from {{ ref('order_line__candidate_crosswalk') }} as x
    join {{ ref('shop__order_line') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order_line__strong') }} as strong join {{ ref('order_line__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'shop'
),
ranked as (
    select *
        , row_number() over (
            partition by order_line_id order by case system when 'salesforce' then 1 when 'sap' then 2 when 'erp' then 3 when 'shop' then 4 else 5 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select order_line_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(line_key order by p) as _v_line_key
        , min(p) filter (where line_key is not null) as _w_line_key
        , array_agg(order_record order by p) as _v_order_record
        , min(p) filter (where order_record is not null) as _w_order_record
        , array_agg(line_number order by p) as _v_line_number
        , min(p) filter (where line_number is not null) as _w_line_number
        , array_agg(sku order by p) as _v_sku
        , min(p) filter (where sku is not null) as _w_sku
        , array_agg(quantity order by p) as _v_quantity
        , min(p) filter (where quantity is not null) as _w_quantity
        , array_agg(net_amount order by p) as _v_net_amount
        , min(p) filter (where net_amount is not null) as _w_net_amount
        , array_agg(currency order by p) as _v_currency
        , min(p) filter (where currency is not null) as _w_currency
    from ranked
    group by order_line_id
),
golden as (
    select order_line_id
        , _v_line_key[_w_line_key] as line_key
        , _v_order_record[_w_order_record] as order_record
        , _v_line_number[_w_line_number] as line_number
        , _v_sku[_w_sku] as sku
        , _v_quantity[_w_quantity] as quantity
        , _v_net_amount[_w_net_amount] as net_amount
        , _v_currency[_w_currency] as currency
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_line_key, _w_order_record, _w_line_number, _w_sku, _w_quantity, _w_net_amount, _w_currency]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_line_key[_w_line_key], _w_line_key
            , _v_order_record[_w_order_record], _w_order_record
            , _v_line_number[_w_line_number], _w_line_number
            , _v_sku[_w_sku], _w_sku
            , _v_quantity[_w_quantity], _w_quantity
            , _v_net_amount[_w_net_amount], _w_net_amount
            , _v_currency[_w_currency], _w_currency
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.order_line_version as live
    on live.order_line_id = golden.order_line_id and live._ended_publish_id is null
