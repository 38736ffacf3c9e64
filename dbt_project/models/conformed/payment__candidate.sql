-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['payment']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.payment_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'payment_key' = any (d.disowned) then null else m.payment_key end as payment_key
        , m.invoice_number
        , m.paid_on
        , m.amount
        , m.refunded_amount
        , m.currency
        , m.method
        , m.status
    from {{ ref('payment__candidate_crosswalk') }} as x
    join {{ ref('accounting__payment') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('payment__strong') }} as strong join {{ ref('payment__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'accounting'
    union all
    select x.payment_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'payment_key' = any (d.disowned) then null else m.payment_key end as payment_key
        , m.invoice_number
        , m.paid_on
        , m.amount
        , m.refunded_amount
        , m.currency
        , m.method
        , m.status
    from {{ ref('payment__candidate_crosswalk') }} as x
    join {{ ref('stripe__payment') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('payment__strong') }} as strong join {{ ref('payment__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'stripe'
),
ranked as (
    select *
        , row_number() over (
            partition by payment_id order by case system when 'stripe' then 1 when 'accounting' then 2 else 3 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select payment_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(payment_key order by p) as _v_payment_key
        , min(p) filter (where payment_key is not null) as _w_payment_key
        , array_agg(invoice_number order by p) as _v_invoice_number
        , min(p) filter (where invoice_number is not null) as _w_invoice_number
        , array_agg(paid_on order by p) as _v_paid_on
        , min(p) filter (where paid_on is not null) as _w_paid_on
        , array_agg(amount order by p) as _v_amount
        , min(p) filter (where amount is not null) as _w_amount
        , array_agg(refunded_amount order by p) as _v_refunded_amount
        , min(p) filter (where refunded_amount is not null) as _w_refunded_amount
        , array_agg(currency order by p) as _v_currency
        , min(p) filter (where currency is not null) as _w_currency
        , array_agg(method order by p) as _v_method
        , min(p) filter (where method is not null) as _w_method
        , array_agg(status order by p) as _v_status
        , min(p) filter (where status is not null) as _w_status
    from ranked
    group by payment_id
),
golden as (
    select payment_id
        , _v_payment_key[_w_payment_key] as payment_key
        , _v_invoice_number[_w_invoice_number] as invoice_number
        , _v_paid_on[_w_paid_on] as paid_on
        , _v_amount[_w_amount] as amount
        , _v_refunded_amount[_w_refunded_amount] as refunded_amount
        , _v_currency[_w_currency] as currency
        , _v_method[_w_method] as method
        , _v_status[_w_status] as status
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_payment_key, _w_invoice_number, _w_paid_on, _w_amount, _w_refunded_amount, _w_currency, _w_method, _w_status]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_payment_key[_w_payment_key], _w_payment_key
            , _v_invoice_number[_w_invoice_number], _w_invoice_number
            , _v_paid_on[_w_paid_on], _w_paid_on
            , _v_amount[_w_amount], _w_amount
            , _v_refunded_amount[_w_refunded_amount], _w_refunded_amount
            , _v_currency[_w_currency], _w_currency
            , _v_method[_w_method], _w_method
            , _v_status[_w_status], _w_status
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.payment_version as live
    on live.payment_id = golden.payment_id and live._ended_publish_id is null
