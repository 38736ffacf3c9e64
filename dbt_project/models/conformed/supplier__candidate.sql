-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['supplier']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.supplier_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.iban
        , m.currency
        , m.status
        , m.last_changed
    from {{ ref('supplier__candidate_crosswalk') }} as x
    join {{ ref('erp__supplier') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('supplier__strong') }} as strong join {{ ref('supplier__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'erp'
),
ranked as (
    select *
        , row_number() over (
            partition by supplier_id order by case system when 'erp' then 1 else 2 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select supplier_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(legal_name order by p) as _v_legal_name
        , min(p) filter (where legal_name is not null) as _w_legal_name
        , array_agg(tax_id_pl order by p) as _v_tax_id_pl
        , min(p) filter (where tax_id_pl is not null) as _w_tax_id_pl
        , array_agg(regon order by p) as _v_regon
        , min(p) filter (where regon is not null) as _w_regon
        , array_agg(email order by p) as _v_email
        , min(p) filter (where email is not null) as _w_email
        , array_agg(phone order by p) as _v_phone
        , min(p) filter (where phone is not null) as _w_phone
        , array_agg(street order by p) as _v_street
        , min(p) filter (where street is not null) as _w_street
        , array_agg(postal_code order by p) as _v_postal_code
        , min(p) filter (where postal_code is not null) as _w_postal_code
        , array_agg(city order by p) as _v_city
        , min(p) filter (where city is not null) as _w_city
        , array_agg(country order by p) as _v_country
        , min(p) filter (where country is not null) as _w_country
        , array_agg(iban order by p) as _v_iban
        , min(p) filter (where iban is not null) as _w_iban
        , array_agg(currency order by p) as _v_currency
        , min(p) filter (where currency is not null) as _w_currency
        , array_agg(status order by p) as _v_status
        , min(p) filter (where status is not null) as _w_status
        , array_agg(last_changed order by p) as _v_last_changed
        , (array_agg(p order by last_changed desc, p) filter (where last_changed is not null))[1] as _w_last_changed
    from ranked
    group by supplier_id
),
golden as (
    select supplier_id
        , _v_legal_name[_w_legal_name] as legal_name
        , _v_tax_id_pl[_w_tax_id_pl] as tax_id_pl
        , _v_regon[_w_regon] as regon
        , _v_email[_w_email] as email
        , _v_phone[_w_phone] as phone
        , _v_street[_w_street] as street
        , _v_postal_code[_w_postal_code] as postal_code
        , _v_city[_w_city] as city
        , _v_country[_w_country] as country
        , _v_iban[_w_iban] as iban
        , _v_currency[_w_currency] as currency
        , _v_status[_w_status] as status
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_legal_name, _w_tax_id_pl, _w_regon, _w_email, _w_phone, _w_street, _w_postal_code, _w_city, _w_country, _w_iban, _w_currency, _w_status, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_legal_name[_w_legal_name], _w_legal_name
            , _v_tax_id_pl[_w_tax_id_pl], _w_tax_id_pl
            , _v_regon[_w_regon], _w_regon
            , _v_email[_w_email], _w_email
            , _v_phone[_w_phone], _w_phone
            , _v_street[_w_street], _w_street
            , _v_postal_code[_w_postal_code], _w_postal_code
            , _v_city[_w_city], _w_city
            , _v_country[_w_country], _w_country
            , _v_iban[_w_iban], _w_iban
            , _v_currency[_w_currency], _w_currency
            , _v_status[_w_status], _w_status
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.supplier_version as live
    on live.supplier_id = golden.supplier_id and live._ended_publish_id is null
