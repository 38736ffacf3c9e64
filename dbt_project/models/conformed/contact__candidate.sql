-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.contact_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'contact_key' = any (d.disowned) then null else m.contact_key end as contact_key
        , m.customer_record
        , m.first_name
        , m.last_name
        , m.email
        , m.phone
        , m.mobile
        , m.position
        , m.last_changed
    from {{ ref('contact__candidate_crosswalk') }} as x
    join {{ ref('salesforce__contact') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('contact__strong') }} as strong join {{ ref('contact__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'salesforce'
),
ranked as (
    select *
        , row_number() over (
            partition by contact_id order by case system when 'salesforce' then 1 else 2 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select contact_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(contact_key order by p) as _v_contact_key
        , min(p) filter (where contact_key is not null) as _w_contact_key
        , array_agg(customer_record order by p) as _v_customer_record
        , min(p) filter (where customer_record is not null) as _w_customer_record
        , array_agg(first_name order by p) as _v_first_name
        , min(p) filter (where first_name is not null) as _w_first_name
        , array_agg(last_name order by p) as _v_last_name
        , min(p) filter (where last_name is not null) as _w_last_name
        , array_agg(email order by p) as _v_email
        , min(p) filter (where email is not null) as _w_email
        , array_agg(phone order by p) as _v_phone
        , min(p) filter (where phone is not null) as _w_phone
        , array_agg(mobile order by p) as _v_mobile
        , min(p) filter (where mobile is not null) as _w_mobile
        , array_agg(position order by p) as _v_position
        , min(p) filter (where position is not null) as _w_position
        , array_agg(last_changed order by p) as _v_last_changed
        , (array_agg(p order by last_changed desc, p) filter (where last_changed is not null))[1] as _w_last_changed
    from ranked
    group by contact_id
),
golden as (
    select contact_id
        , _v_contact_key[_w_contact_key] as contact_key
        , _v_customer_record[_w_customer_record] as customer_record
        , _v_first_name[_w_first_name] as first_name
        , _v_last_name[_w_last_name] as last_name
        , _v_email[_w_email] as email
        , _v_phone[_w_phone] as phone
        , _v_mobile[_w_mobile] as mobile
        , _v_position[_w_position] as position
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_contact_key, _w_customer_record, _w_first_name, _w_last_name, _w_email, _w_phone, _w_mobile, _w_position, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_contact_key[_w_contact_key], _w_contact_key
            , _v_customer_record[_w_customer_record], _w_customer_record
            , _v_first_name[_w_first_name], _w_first_name
            , _v_last_name[_w_last_name], _w_last_name
            , _v_email[_w_email], _w_email
            , _v_phone[_w_phone], _w_phone
            , _v_mobile[_w_mobile], _w_mobile
            , _v_position[_w_position], _w_position
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.contact_version as live
    on live.contact_id = golden.contact_id and live._ended_publish_id is null
