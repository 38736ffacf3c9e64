-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['company']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.company_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , case when 'eu_vat' = any (d.disowned) then null else m.eu_vat end as eu_vat
        , m.legal_form
        , m.status
        , m.vat_status
        , m.eu_vat_valid
        , m.bank_accounts
        , m.registered_on
        , m.vat_registered_on
        , m.last_changed
    from {{ ref('company__candidate_crosswalk') }} as x
    join {{ ref('krs__company') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('company__strong') }} as strong join {{ ref('company__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'krs'
    union all
    select x.company_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , case when 'eu_vat' = any (d.disowned) then null else m.eu_vat end as eu_vat
        , m.legal_form
        , m.status
        , m.vat_status
        , m.eu_vat_valid
        , m.bank_accounts
        , m.registered_on
        , m.vat_registered_on
        , m.last_changed
    from {{ ref('company__candidate_crosswalk') }} as x
    join {{ ref('regon__company') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('company__strong') }} as strong join {{ ref('company__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'regon'
    union all
    select x.company_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , case when 'eu_vat' = any (d.disowned) then null else m.eu_vat end as eu_vat
        , m.legal_form
        , m.status
        , m.vat_status
        , m.eu_vat_valid
        , m.bank_accounts
        , m.registered_on
        , m.vat_registered_on
        , m.last_changed
    from {{ ref('company__candidate_crosswalk') }} as x
    join {{ ref('vies__company') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('company__strong') }} as strong join {{ ref('company__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'vies'
    union all
    select x.company_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , case when 'eu_vat' = any (d.disowned) then null else m.eu_vat end as eu_vat
        , m.legal_form
        , m.status
        , m.vat_status
        , m.eu_vat_valid
        , m.bank_accounts
        , m.registered_on
        , m.vat_registered_on
        , m.last_changed
    from {{ ref('company__candidate_crosswalk') }} as x
    join {{ ref('white_list__company') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('company__strong') }} as strong join {{ ref('company__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'white_list'
),
ranked as (
    select *
        , row_number() over (
            partition by company_id order by case system when 'krs' then 1 when 'regon' then 2 when 'white_list' then 3 when 'vies' then 4 else 5 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select company_id
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
        , array_agg(legal_form order by p) as _v_legal_form
        , min(p) filter (where legal_form is not null) as _w_legal_form
        , array_agg(status order by p) as _v_status
        , min(case system when 'regon' then 1 else 2 end * 1048576 + p) filter (where status is not null) % 1048576 as _w_status
        , array_agg(vat_status order by p) as _v_vat_status
        , min(p) filter (where vat_status is not null) as _w_vat_status
        , array_agg(eu_vat_valid order by p) as _v_eu_vat_valid
        , min(p) filter (where eu_vat_valid is not null) as _w_eu_vat_valid
        , array_agg(bank_accounts order by p) as _v_bank_accounts
        , min(p) filter (where bank_accounts is not null) as _w_bank_accounts
        , array_agg(registered_on order by p) as _v_registered_on
        , min(p) filter (where registered_on is not null) as _w_registered_on
        , array_agg(vat_registered_on order by p) as _v_vat_registered_on
        , min(p) filter (where vat_registered_on is not null) as _w_vat_registered_on
        , array_agg(last_changed order by p) as _v_last_changed
        , (array_agg(p order by last_changed desc, p) filter (where last_changed is not null))[1] as _w_last_changed
    from ranked
    group by company_id
),
golden as (
    select company_id
        , _v_legal_name[_w_legal_name] as legal_name
        , _v_tax_id_pl[_w_tax_id_pl] as tax_id_pl
        , _v_regon[_w_regon] as regon
        , _v_krs[_w_krs] as krs
        , _v_eu_vat[_w_eu_vat] as eu_vat
        , _v_legal_form[_w_legal_form] as legal_form
        , _v_status[_w_status] as status
        , _v_vat_status[_w_vat_status] as vat_status
        , _v_eu_vat_valid[_w_eu_vat_valid] as eu_vat_valid
        , _v_bank_accounts[_w_bank_accounts] as bank_accounts
        , _v_registered_on[_w_registered_on] as registered_on
        , _v_vat_registered_on[_w_vat_registered_on] as vat_registered_on
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_legal_name, _w_tax_id_pl, _w_regon, _w_krs, _w_eu_vat, _w_legal_form, _w_status, _w_vat_status, _w_eu_vat_valid, _w_bank_accounts, _w_registered_on, _w_vat_registered_on, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_legal_name[_w_legal_name], _w_legal_name
            , _v_tax_id_pl[_w_tax_id_pl], _w_tax_id_pl
            , _v_regon[_w_regon], _w_regon
            , _v_krs[_w_krs], _w_krs
            , _v_eu_vat[_w_eu_vat], _w_eu_vat
            , _v_legal_form[_w_legal_form], _w_legal_form
            , _v_status[_w_status], _w_status
            , _v_vat_status[_w_vat_status], _w_vat_status
            , _v_eu_vat_valid[_w_eu_vat_valid], _w_eu_vat_valid
            , _v_bank_accounts[_w_bank_accounts], _w_bank_accounts
            , _v_registered_on[_w_registered_on], _w_registered_on
            , _v_vat_registered_on[_w_vat_registered_on], _w_vat_registered_on
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.company_version as live
    on live.company_id = golden.company_id and live._ended_publish_id is null
