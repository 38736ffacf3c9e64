-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['identity']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.identity_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'email' = any (d.disowned) then null else m.email end as email
        , m.username
        , m.first_name
        , m.last_name
        , m.enabled
    from {{ ref('identity__candidate_crosswalk') }} as x
    join {{ ref('keycloak__identity') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('identity__strong') }} as strong join {{ ref('identity__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'keycloak'
    union all
    select x.identity_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'email' = any (d.disowned) then null else m.email end as email
        , m.username
        , m.first_name
        , m.last_name
        , m.enabled
    from {{ ref('identity__candidate_crosswalk') }} as x
    join {{ ref('microsoft365__identity') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('identity__strong') }} as strong join {{ ref('identity__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'microsoft365'
),
ranked as (
    select *
        , row_number() over (
            partition by identity_id order by case system when 'keycloak' then 1 when 'microsoft365' then 2 else 3 end, _extracted_at desc nulls last, record)::int as p
    from member
),
gathered as (
    select identity_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(email order by p) as _v_email
        , min(p) filter (where email is not null) as _w_email
        , array_agg(username order by p) as _v_username
        , min(p) filter (where username is not null) as _w_username
        , array_agg(first_name order by p) as _v_first_name
        , min(p) filter (where first_name is not null) as _w_first_name
        , array_agg(last_name order by p) as _v_last_name
        , min(p) filter (where last_name is not null) as _w_last_name
        , array_agg(enabled order by p) as _v_enabled
        , min(p) filter (where enabled is not null) as _w_enabled
    from ranked
    group by identity_id
),
golden as (
    select identity_id
        , _v_email[_w_email] as email
        , _v_username[_w_username] as username
        , _v_first_name[_w_first_name] as first_name
        , _v_last_name[_w_last_name] as last_name
        , _v_enabled[_w_enabled] as enabled
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_email, _w_username, _w_first_name, _w_last_name, _w_enabled]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_email[_w_email], _w_email
            , _v_username[_w_username], _w_username
            , _v_first_name[_w_first_name], _w_first_name
            , _v_last_name[_w_last_name], _w_last_name
            , _v_enabled[_w_enabled], _w_enabled
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.identity_version as live
    on live.identity_id = golden.identity_id and live._ended_publish_id is null
