-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.invoice_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'invoice_number' = any (d.disowned) then null else m.invoice_number end as invoice_number
        , case when 'ksef_number' = any (d.disowned) then null else m.ksef_number end as ksef_number
        , m.kind
        , m.corrects_invoice
        , m.order_number
        , m.customer_tax_id
        , m.customer_record
        , m.issued_on
        , m.due_on
        , m.currency
        , m.net_amount
        , m.vat_amount
        , m.gross_amount
        , m.accepted_at
    from {{ ref('invoice__candidate_crosswalk') }} as x
    join {{ ref('accounting__invoice') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('invoice__strong') }} as strong join {{ ref('invoice__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'accounting'
    union all
    select x.invoice_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'invoice_number' = any (d.disowned) then null else m.invoice_number end as invoice_number
        , case when 'ksef_number' = any (d.disowned) then null else m.ksef_number end as ksef_number
        , m.kind
        , m.corrects_invoice
        , m.order_number
        , m.customer_tax_id
        , m.customer_record
        , m.issued_on
        , m.due_on
        , m.currency
        , m.net_amount
        , m.vat_amount
        , m.gross_amount
        , m.accepted_at
    from {{ ref('invoice__candidate_crosswalk') }} as x
    join {{ ref('erp__invoice') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('invoice__strong') }} as strong join {{ ref('invoice__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'erp'
    union all
    select x.invoice_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'invoice_number' = any (d.disowned) then null else m.invoice_number end as invoice_number
        , case when 'ksef_number' = any (d.disowned) then null else m.ksef_number end as ksef_number
        , m.kind
        , m.corrects_invoice
        , m.order_number
        , m.customer_tax_id
        , m.customer_record
        , m.issued_on
        , m.due_on
        , m.currency
        , m.net_amount
        , m.vat_amount
        , m.gross_amount
        , m.accepted_at
    from {{ ref('invoice__candidate_crosswalk') }} as x
    join {{ ref('ksef__invoice') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('invoice__strong') }} as strong join {{ ref('invoice__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'ksef'
),
ranked as (
    select *
        , row_number() over (
            partition by invoice_id order by case system when 'ksef' then 1 when 'erp' then 2 when 'accounting' then 3 else 4 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select invoice_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(invoice_number order by p) as _v_invoice_number
        , min(p) filter (where invoice_number is not null) as _w_invoice_number
        , array_agg(ksef_number order by p) as _v_ksef_number
        , min(p) filter (where ksef_number is not null) as _w_ksef_number
        , array_agg(kind order by p) as _v_kind
        , min(p) filter (where kind is not null) as _w_kind
        , array_agg(corrects_invoice order by p) as _v_corrects_invoice
        , min(p) filter (where corrects_invoice is not null) as _w_corrects_invoice
        , array_agg(order_number order by p) as _v_order_number
        , min(p) filter (where order_number is not null) as _w_order_number
        , array_agg(customer_tax_id order by p) as _v_customer_tax_id
        , min(p) filter (where customer_tax_id is not null) as _w_customer_tax_id
        , array_agg(customer_record order by p) as _v_customer_record
        , min(p) filter (where customer_record is not null) as _w_customer_record
        , array_agg(issued_on order by p) as _v_issued_on
        , min(p) filter (where issued_on is not null) as _w_issued_on
        , array_agg(due_on order by p) as _v_due_on
        , min(p) filter (where due_on is not null) as _w_due_on
        , array_agg(currency order by p) as _v_currency
        , min(p) filter (where currency is not null) as _w_currency
        , array_agg(net_amount order by p) as _v_net_amount
        , min(p) filter (where net_amount is not null) as _w_net_amount
        , array_agg(vat_amount order by p) as _v_vat_amount
        , min(p) filter (where vat_amount is not null) as _w_vat_amount
        , array_agg(gross_amount order by p) as _v_gross_amount
        , min(p) filter (where gross_amount is not null) as _w_gross_amount
        , array_agg(accepted_at order by p) as _v_accepted_at
        , min(p) filter (where accepted_at is not null) as _w_accepted_at
    from ranked
    group by invoice_id
),
golden as (
    select invoice_id
        , _v_invoice_number[_w_invoice_number] as invoice_number
        , _v_ksef_number[_w_ksef_number] as ksef_number
        , _v_kind[_w_kind] as kind
        , _v_corrects_invoice[_w_corrects_invoice] as corrects_invoice
        , _v_order_number[_w_order_number] as order_number
        , _v_customer_tax_id[_w_customer_tax_id] as customer_tax_id
        , _v_customer_record[_w_customer_record] as customer_record
        , _v_issued_on[_w_issued_on] as issued_on
        , _v_due_on[_w_due_on] as due_on
        , _v_currency[_w_currency] as currency
        , _v_net_amount[_w_net_amount] as net_amount
        , _v_vat_amount[_w_vat_amount] as vat_amount
        , _v_gross_amount[_w_gross_amount] as gross_amount
        , _v_accepted_at[_w_accepted_at] as accepted_at
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_invoice_number, _w_ksef_number, _w_kind, _w_corrects_invoice, _w_order_number, _w_customer_tax_id, _w_customer_record, _w_issued_on, _w_due_on, _w_currency, _w_net_amount, _w_vat_amount, _w_gross_amount, _w_accepted_at]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_invoice_number[_w_invoice_number], _w_invoice_number
            , _v_ksef_number[_w_ksef_number], _w_ksef_number
            , _v_kind[_w_kind], _w_kind
            , _v_corrects_invoice[_w_corrects_invoice], _w_corrects_invoice
            , _v_order_number[_w_order_number], _w_order_number
            , _v_customer_tax_id[_w_customer_tax_id], _w_customer_tax_id
            , _v_customer_record[_w_customer_record], _w_customer_record
            , _v_issued_on[_w_issued_on], _w_issued_on
            , _v_due_on[_w_due_on], _w_due_on
            , _v_currency[_w_currency], _w_currency
            , _v_net_amount[_w_net_amount], _w_net_amount
            , _v_vat_amount[_w_vat_amount], _w_vat_amount
            , _v_gross_amount[_w_gross_amount], _w_gross_amount
            , extract(epoch from _v_accepted_at[_w_accepted_at]), _w_accepted_at
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.invoice_version as live
    on live.invoice_id = golden.invoice_id and live._ended_publish_id is null
