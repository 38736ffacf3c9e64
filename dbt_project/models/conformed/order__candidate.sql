-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.order_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'order_number' = any (d.disowned) then null else m.order_number end as order_number
        , m.customer_record
        , m.ordered_on
        , m.status
        , m.currency
        , m.net_amount
        , m.last_changed
    from {{ ref('order__candidate_crosswalk') }} as x
    join {{ ref('erp__order') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order__strong') }} as strong join {{ ref('order__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'erp'
    union all
    select x.order_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'order_number' = any (d.disowned) then null else m.order_number end as order_number
        , m.customer_record
        , m.ordered_on
        , m.status
        , m.currency
        , m.net_amount
        , m.last_changed
    from {{ ref('order__candidate_crosswalk') }} as x
    join {{ ref('salesforce__order') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order__strong') }} as strong join {{ ref('order__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'salesforce'
    union all
    select x.order_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'order_number' = any (d.disowned) then null else m.order_number end as order_number
        , m.customer_record
        , m.ordered_on
        , m.status
        , m.currency
        , m.net_amount
        , m.last_changed
    from {{ ref('order__candidate_crosswalk') }} as x
    join {{ ref('sap__order') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order__strong') }} as strong join {{ ref('order__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'sap'
    union all
    select x.order_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'order_number' = any (d.disowned) then null else m.order_number end as order_number
        , m.customer_record
        , m.ordered_on
        , m.status
        , m.currency
        , m.net_amount
        , m.last_changed
    from {{ ref('order__candidate_crosswalk') }} as x
    join {{ ref('shop__order') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('order__strong') }} as strong join {{ ref('order__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'shop'
),
ranked as (
    select *
        , row_number() over (
            partition by order_id order by case system when 'salesforce' then 1 when 'sap' then 2 when 'erp' then 3 when 'shop' then 4 else 5 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select order_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(order_number order by p) as _v_order_number
        , min(p) filter (where order_number is not null) as _w_order_number
        , array_agg(customer_record order by p) as _v_customer_record
        , min(p) filter (where customer_record is not null) as _w_customer_record
        , array_agg(ordered_on order by p) as _v_ordered_on
        , min(p) filter (where ordered_on is not null) as _w_ordered_on
        , array_agg(status order by p) as _v_status
        , min(p) filter (where status is not null) as _w_status
        , array_agg(currency order by p) as _v_currency
        , min(p) filter (where currency is not null) as _w_currency
        , array_agg(net_amount order by p) as _v_net_amount
        , min(p) filter (where net_amount is not null) as _w_net_amount
        , array_agg(last_changed order by p) as _v_last_changed
        , (array_agg(p order by last_changed desc, p) filter (where last_changed is not null))[1] as _w_last_changed
    from ranked
    group by order_id
),
golden as (
    select order_id
        , _v_order_number[_w_order_number] as order_number
        , _v_customer_record[_w_customer_record] as customer_record
        , _v_ordered_on[_w_ordered_on] as ordered_on
        , _v_status[_w_status] as status
        , _v_currency[_w_currency] as currency
        , _v_net_amount[_w_net_amount] as net_amount
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_order_number, _w_customer_record, _w_ordered_on, _w_status, _w_currency, _w_net_amount, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_order_number[_w_order_number], _w_order_number
            , _v_customer_record[_w_customer_record], _w_customer_record
            , _v_ordered_on[_w_ordered_on], _w_ordered_on
            , _v_status[_w_status], _w_status
            , _v_currency[_w_currency], _w_currency
            , _v_net_amount[_w_net_amount], _w_net_amount
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.order_version as live
    on live.order_id = golden.order_id and live._ended_publish_id is null
