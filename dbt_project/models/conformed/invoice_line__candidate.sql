-- generated from catalog/entities/invoice_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice_line']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.invoice_line_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'line_key' = any (d.disowned) then null else m.line_key end as line_key
        , m.invoice_number
        , m.invoice_record
        , m.line_number
        , m.sku
        , m.description
        , m.unit
        , m.quantity
        , m.unit_price
        , m.net_amount
        , m.vat_rate
        , m.currency
    from {{ ref('invoice_line__candidate_crosswalk') }} as x
    join {{ ref('ksef__invoice_line') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('invoice_line__strong') }} as strong join {{ ref('invoice_line__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'ksef'
),
ranked as (
    select *
        , row_number() over (
            partition by invoice_line_id order by case system when 'ksef' then 1 else 2 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select invoice_line_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(line_key order by p) as _v_line_key
        , min(p) filter (where line_key is not null) as _w_line_key
        , array_agg(invoice_number order by p) as _v_invoice_number
        , min(p) filter (where invoice_number is not null) as _w_invoice_number
        , array_agg(invoice_record order by p) as _v_invoice_record
        , min(p) filter (where invoice_record is not null) as _w_invoice_record
        , array_agg(line_number order by p) as _v_line_number
        , min(p) filter (where line_number is not null) as _w_line_number
        , array_agg(sku order by p) as _v_sku
        , min(p) filter (where sku is not null) as _w_sku
        , array_agg(description order by p) as _v_description
        , min(p) filter (where description is not null) as _w_description
        , array_agg(unit order by p) as _v_unit
        , min(p) filter (where unit is not null) as _w_unit
        , array_agg(quantity order by p) as _v_quantity
        , min(p) filter (where quantity is not null) as _w_quantity
        , array_agg(unit_price order by p) as _v_unit_price
        , min(p) filter (where unit_price is not null) as _w_unit_price
        , array_agg(net_amount order by p) as _v_net_amount
        , min(p) filter (where net_amount is not null) as _w_net_amount
        , array_agg(vat_rate order by p) as _v_vat_rate
        , min(p) filter (where vat_rate is not null) as _w_vat_rate
        , array_agg(currency order by p) as _v_currency
        , min(p) filter (where currency is not null) as _w_currency
    from ranked
    group by invoice_line_id
),
golden as (
    select invoice_line_id
        , _v_line_key[_w_line_key] as line_key
        , _v_invoice_number[_w_invoice_number] as invoice_number
        , _v_invoice_record[_w_invoice_record] as invoice_record
        , _v_line_number[_w_line_number] as line_number
        , _v_sku[_w_sku] as sku
        , _v_description[_w_description] as description
        , _v_unit[_w_unit] as unit
        , _v_quantity[_w_quantity] as quantity
        , _v_unit_price[_w_unit_price] as unit_price
        , _v_net_amount[_w_net_amount] as net_amount
        , _v_vat_rate[_w_vat_rate] as vat_rate
        , _v_currency[_w_currency] as currency
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_line_key, _w_invoice_number, _w_invoice_record, _w_line_number, _w_sku, _w_description, _w_unit, _w_quantity, _w_unit_price, _w_net_amount, _w_vat_rate, _w_currency]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_line_key[_w_line_key], _w_line_key
            , _v_invoice_number[_w_invoice_number], _w_invoice_number
            , _v_invoice_record[_w_invoice_record], _w_invoice_record
            , _v_line_number[_w_line_number], _w_line_number
            , _v_sku[_w_sku], _w_sku
            , _v_description[_w_description], _w_description
            , _v_unit[_w_unit], _w_unit
            , _v_quantity[_w_quantity], _w_quantity
            , _v_unit_price[_w_unit_price], _w_unit_price
            , _v_net_amount[_w_net_amount], _w_net_amount
            , _v_vat_rate[_w_vat_rate], _w_vat_rate
            , _v_currency[_w_currency], _w_currency
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.invoice_line_version as live
    on live.invoice_line_id = golden.invoice_line_id and live._ended_publish_id is null
