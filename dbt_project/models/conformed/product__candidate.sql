-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.product_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'sku' = any (d.disowned) then null else m.sku end as sku
        , case when 'ean' = any (d.disowned) then null else m.ean end as ean
        , m.name
        , m.unit
        , m.net_price
        , m.currency
        , m.vat_rate
        , m.active
        , m.last_changed
    from {{ ref('product__candidate_crosswalk') }} as x
    join {{ ref('erp__product') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('product__strong') }} as strong join {{ ref('product__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'erp'
    union all
    select x.product_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'sku' = any (d.disowned) then null else m.sku end as sku
        , case when 'ean' = any (d.disowned) then null else m.ean end as ean
        , m.name
        , m.unit
        , m.net_price
        , m.currency
        , m.vat_rate
        , m.active
        , m.last_changed
    from {{ ref('product__candidate_crosswalk') }} as x
    join {{ ref('salesforce__product') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('product__strong') }} as strong join {{ ref('product__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'salesforce'
    union all
    select x.product_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'sku' = any (d.disowned) then null else m.sku end as sku
        , case when 'ean' = any (d.disowned) then null else m.ean end as ean
        , m.name
        , m.unit
        , m.net_price
        , m.currency
        , m.vat_rate
        , m.active
        , m.last_changed
    from {{ ref('product__candidate_crosswalk') }} as x
    join {{ ref('sap_idoc__product') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('product__strong') }} as strong join {{ ref('product__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'sap_idoc'
    union all
    select x.product_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'sku' = any (d.disowned) then null else m.sku end as sku
        , case when 'ean' = any (d.disowned) then null else m.ean end as ean
        , m.name
        , m.unit
        , m.net_price
        , m.currency
        , m.vat_rate
        , m.active
        , m.last_changed
    from {{ ref('product__candidate_crosswalk') }} as x
    join {{ ref('sap_v4__product') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('product__strong') }} as strong join {{ ref('product__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'sap_v4'
    union all
    select x.product_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'sku' = any (d.disowned) then null else m.sku end as sku
        , case when 'ean' = any (d.disowned) then null else m.ean end as ean
        , m.name
        , m.unit
        , m.net_price
        , m.currency
        , m.vat_rate
        , m.active
        , m.last_changed
    from {{ ref('product__candidate_crosswalk') }} as x
    join {{ ref('shop__product') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('product__strong') }} as strong join {{ ref('product__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'shop'
),
ranked as (
    select *
        , row_number() over (
            partition by product_id order by case system when 'erp' then 1 when 'sap_v4' then 2 when 'sap_idoc' then 3 when 'salesforce' then 4 when 'shop' then 5 else 6 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select product_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(sku order by p) as _v_sku
        , min(p) filter (where sku is not null) as _w_sku
        , array_agg(ean order by p) as _v_ean
        , min(p) filter (where ean is not null) as _w_ean
        , array_agg(name order by p) as _v_name
        , min(p) filter (where name is not null) as _w_name
        , array_agg(unit order by p) as _v_unit
        , min(p) filter (where unit is not null) as _w_unit
        , array_agg(net_price order by p) as _v_net_price
        , min(case system when 'erp' then 1 when 'salesforce' then 2 else 3 end * 1048576 + p) filter (where net_price is not null) % 1048576 as _w_net_price
        , array_agg(currency order by p) as _v_currency
        , min(case system when 'erp' then 1 when 'salesforce' then 2 else 3 end * 1048576 + p) filter (where currency is not null) % 1048576 as _w_currency
        , array_agg(vat_rate order by p) as _v_vat_rate
        , min(p) filter (where vat_rate is not null) as _w_vat_rate
        , array_agg(active order by p) as _v_active
        , min(case system when 'erp' then 1 when 'salesforce' then 2 else 3 end * 1048576 + p) filter (where active is not null) % 1048576 as _w_active
        , array_agg(last_changed order by p) as _v_last_changed
        , (array_agg(p order by last_changed desc, p) filter (where last_changed is not null))[1] as _w_last_changed
    from ranked
    group by product_id
),
golden as (
    select product_id
        , _v_sku[_w_sku] as sku
        , _v_ean[_w_ean] as ean
        , _v_name[_w_name] as name
        , _v_unit[_w_unit] as unit
        , _v_net_price[_w_net_price] as net_price
        , _v_currency[_w_currency] as currency
        , _v_vat_rate[_w_vat_rate] as vat_rate
        , _v_active[_w_active] as active
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_sku, _w_ean, _w_name, _w_unit, _w_net_price, _w_currency, _w_vat_rate, _w_active, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_sku[_w_sku], _w_sku
            , _v_ean[_w_ean], _w_ean
            , _v_name[_w_name], _w_name
            , _v_unit[_w_unit], _w_unit
            , _v_net_price[_w_net_price], _w_net_price
            , _v_currency[_w_currency], _w_currency
            , _v_vat_rate[_w_vat_rate], _w_vat_rate
            , _v_active[_w_active], _w_active
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.product_version as live
    on live.product_id = golden.product_id and live._ended_publish_id is null
