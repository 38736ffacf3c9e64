-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.beneficial_owner_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'owner_key' = any (d.disowned) then null else m.owner_key end as owner_key
        , m.company_krs
        , m.company_tax_id
        , m.first_name
        , m.last_name
        , m.group_name
        , m.pesel
        , m.born_on
        , m.citizenship
        , m.residence
        , m.share
        , m.share_unit
    from {{ ref('beneficial_owner__candidate_crosswalk') }} as x
    join {{ ref('crbr__beneficial_owner') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('beneficial_owner__strong') }} as strong join {{ ref('beneficial_owner__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'crbr'
),
ranked as (
    select *
        , row_number() over (
            partition by beneficial_owner_id order by case system when 'crbr' then 1 else 2 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select beneficial_owner_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(owner_key order by p) as _v_owner_key
        , min(p) filter (where owner_key is not null) as _w_owner_key
        , array_agg(company_krs order by p) as _v_company_krs
        , min(p) filter (where company_krs is not null) as _w_company_krs
        , array_agg(company_tax_id order by p) as _v_company_tax_id
        , min(p) filter (where company_tax_id is not null) as _w_company_tax_id
        , array_agg(first_name order by p) as _v_first_name
        , min(p) filter (where first_name is not null) as _w_first_name
        , array_agg(last_name order by p) as _v_last_name
        , min(p) filter (where last_name is not null) as _w_last_name
        , array_agg(group_name order by p) as _v_group_name
        , min(p) filter (where group_name is not null) as _w_group_name
        , array_agg(pesel order by p) as _v_pesel
        , min(p) filter (where pesel is not null) as _w_pesel
        , array_agg(born_on order by p) as _v_born_on
        , min(p) filter (where born_on is not null) as _w_born_on
        , array_agg(citizenship order by p) as _v_citizenship
        , min(p) filter (where citizenship is not null) as _w_citizenship
        , array_agg(residence order by p) as _v_residence
        , min(p) filter (where residence is not null) as _w_residence
        , array_agg(share order by p) as _v_share
        , min(p) filter (where share is not null) as _w_share
        , array_agg(share_unit order by p) as _v_share_unit
        , min(p) filter (where share_unit is not null) as _w_share_unit
    from ranked
    group by beneficial_owner_id
),
golden as (
    select beneficial_owner_id
        , _v_owner_key[_w_owner_key] as owner_key
        , _v_company_krs[_w_company_krs] as company_krs
        , _v_company_tax_id[_w_company_tax_id] as company_tax_id
        , _v_first_name[_w_first_name] as first_name
        , _v_last_name[_w_last_name] as last_name
        , _v_group_name[_w_group_name] as group_name
        , _v_pesel[_w_pesel] as pesel
        , _v_born_on[_w_born_on] as born_on
        , _v_citizenship[_w_citizenship] as citizenship
        , _v_residence[_w_residence] as residence
        , _v_share[_w_share] as share
        , _v_share_unit[_w_share_unit] as share_unit
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_owner_key, _w_company_krs, _w_company_tax_id, _w_first_name, _w_last_name, _w_group_name, _w_pesel, _w_born_on, _w_citizenship, _w_residence, _w_share, _w_share_unit]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_owner_key[_w_owner_key], _w_owner_key
            , _v_company_krs[_w_company_krs], _w_company_krs
            , _v_company_tax_id[_w_company_tax_id], _w_company_tax_id
            , _v_first_name[_w_first_name], _w_first_name
            , _v_last_name[_w_last_name], _w_last_name
            , _v_group_name[_w_group_name], _w_group_name
            , _v_pesel[_w_pesel], _w_pesel
            , _v_born_on[_w_born_on], _w_born_on
            , _v_citizenship[_w_citizenship], _w_citizenship
            , _v_residence[_w_residence], _w_residence
            , _v_share[_w_share], _w_share
            , _v_share_unit[_w_share_unit], _w_share_unit
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.beneficial_owner_version as live
    on live.beneficial_owner_id = golden.beneficial_owner_id and live._ended_publish_id is null
