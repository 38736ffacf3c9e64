-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['customer']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('erp__customer') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('customer__strong') }} as strong join {{ ref('customer__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'erp'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('krs__customer') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('customer__strong') }} as strong join {{ ref('customer__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'krs'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('regon__customer') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('customer__strong') }} as strong join {{ ref('customer__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'regon'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('salesforce__customer') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('customer__strong') }} as strong join {{ ref('customer__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'salesforce'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('sap__customer') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('customer__strong') }} as strong join {{ ref('customer__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'sap'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('shop__customer') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('customer__strong') }} as strong join {{ ref('customer__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'shop'
),
ranked as (
    select *
        , row_number() over (
            partition by customer_id order by case system when 'krs' then 1 when 'regon' then 2 when 'salesforce' then 3 when 'sap' then 4 when 'erp' then 5 when 'shop' then 6 else 7 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select customer_id
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
        , array_agg(krs order by p) as _v_krs
        , min(p) filter (where krs is not null) as _w_krs
        , array_agg(eu_vat order by p) as _v_eu_vat
        , min(p) filter (where eu_vat is not null) as _w_eu_vat
        , array_agg(email order by p) as _v_email
        , min(case system when 'salesforce' then 1 when 'sap' then 2 when 'erp' then 3 when 'shop' then 4 when 'krs' then 5 else 6 end * 1048576 + p) filter (where email is not null) % 1048576 as _w_email
        , array_agg(phone order by p) as _v_phone
        , min(case system when 'salesforce' then 1 when 'sap' then 2 when 'erp' then 3 when 'shop' then 4 else 5 end * 1048576 + p) filter (where phone is not null) % 1048576 as _w_phone
        , array_agg(street order by p) as _v_street
        , min(p) filter (where street is not null) as _w_street
        , array_agg(postal_code order by p) as _v_postal_code
        , min(p) filter (where postal_code is not null) as _w_postal_code
        , array_agg(city order by p) as _v_city
        , min(p) filter (where city is not null) as _w_city
        , array_agg(country order by p) as _v_country
        , min(p) filter (where country is not null) as _w_country
        , array_agg(status order by p) as _v_status
        , min(case system when 'salesforce' then 1 when 'sap' then 2 when 'erp' then 3 when 'regon' then 4 else 5 end * 1048576 + p) filter (where status is not null) % 1048576 as _w_status
        , array_agg(credit_limit order by p) as _v_credit_limit
        , min(case system when 'salesforce' then 1 else 2 end * 1048576 + p) filter (where credit_limit is not null) % 1048576 as _w_credit_limit
        , array_agg(credit_limit_currency order by p) as _v_credit_limit_currency
        , min(case system when 'salesforce' then 1 else 2 end * 1048576 + p) filter (where credit_limit_currency is not null) % 1048576 as _w_credit_limit_currency
        , array_agg(registered_on order by p) as _v_registered_on
        , min(p) filter (where registered_on is not null) as _w_registered_on
        , array_agg(last_changed order by p) as _v_last_changed
        , (array_agg(p order by last_changed desc, p) filter (where last_changed is not null))[1] as _w_last_changed
    from ranked
    group by customer_id
),
golden as (
    select customer_id
        , _v_legal_name[_w_legal_name] as legal_name
        , _v_tax_id_pl[_w_tax_id_pl] as tax_id_pl
        , _v_regon[_w_regon] as regon
        , _v_krs[_w_krs] as krs
        , _v_eu_vat[_w_eu_vat] as eu_vat
        , _v_email[_w_email] as email
        , _v_phone[_w_phone] as phone
        , _v_street[_w_street] as street
        , _v_postal_code[_w_postal_code] as postal_code
        , _v_city[_w_city] as city
        , _v_country[_w_country] as country
        , _v_status[_w_status] as status
        , _v_credit_limit[_w_credit_limit] as credit_limit
        , _v_credit_limit_currency[_w_credit_limit_currency] as credit_limit_currency
        , _v_registered_on[_w_registered_on] as registered_on
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_legal_name, _w_tax_id_pl, _w_regon, _w_krs, _w_eu_vat, _w_email, _w_phone, _w_street, _w_postal_code, _w_city, _w_country, _w_status, _w_credit_limit, _w_credit_limit_currency, _w_registered_on, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_legal_name[_w_legal_name], _w_legal_name
            , _v_tax_id_pl[_w_tax_id_pl], _w_tax_id_pl
            , _v_regon[_w_regon], _w_regon
            , _v_krs[_w_krs], _w_krs
            , _v_eu_vat[_w_eu_vat], _w_eu_vat
            , _v_email[_w_email], _w_email
            , _v_phone[_w_phone], _w_phone
            , _v_street[_w_street], _w_street
            , _v_postal_code[_w_postal_code], _w_postal_code
            , _v_city[_w_city], _w_city
            , _v_country[_w_country], _w_country
            , _v_status[_w_status], _w_status
            , _v_credit_limit[_w_credit_limit], _w_credit_limit
            , _v_credit_limit_currency[_w_credit_limit_currency], _w_credit_limit_currency
            , _v_registered_on[_w_registered_on], _w_registered_on
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.customer_version as live
    on live.customer_id = golden.customer_id and live._ended_publish_id is null
