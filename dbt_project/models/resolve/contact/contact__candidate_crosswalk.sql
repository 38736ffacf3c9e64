-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- The lasting id of each cluster. A previous id is awarded to the cluster that holds most of its previous members (then:
-- the smallest record of them). A cluster keeps the oldest id awarded to it (then: the one with most members, then: with
-- the smallest record). A cluster with none gets the id of its smallest record whose id is not in use. Ids are made from
-- records, so the same input gives the same ids again.
with previous as materialized (
    select record, v.contact_id
    from (
        select record from {{ ref('contact__member') }}
        union
        select record from {{ ref('contact__changed') }}
    ) as looked_at
    join conformed.contact_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
, vote as (
    select p.contact_id, c.cluster, count(*) as members, min(record) as first_record
    from previous as p join {{ ref('contact__cluster') }} as c using (record)
    group by p.contact_id, c.cluster
),
awarded as (
    select distinct on (contact_id) contact_id, cluster, members, first_record from vote
    order by contact_id, members desc, first_record
),
kept as materialized (
    select distinct on (a.cluster) a.cluster, a.contact_id
    from awarded as a
    join (
        select contact_id, min(_publish_id) as since from conformed.contact_version
        where contact_id in (select contact_id from awarded) group by contact_id
    ) as age using (contact_id)
    order by a.cluster, age.since, a.members desc, a.first_record
),
founder as (
    select f.cluster, min(f.record) as first_record, min(f.record) filter (where not f.used) as record
    from (
        select c.cluster, c.record, exists (
            select from conformed.contact_crosswalk_version as v
            where v.contact_id = md5('contact|' || c.record)::uuid and v._ended_publish_id is null
        ) as used
        from {{ ref('contact__cluster') }} as c
        where not exists (select from kept as k where k.cluster = c.cluster)
    ) as f
    group by f.cluster
),
named as (
    select cluster, contact_id from kept
    union all
    select cluster, case
        when record is not null then md5('contact|' || record)::uuid
        -- The ids of all its records live on with others: how often the first record has moved makes another one.
        else md5('contact|' || first_record || '|' || (
            select count(*) from conformed.contact_crosswalk_version as v where v.record = first_record))::uuid
    end
    from founder
)
select c.record
    , split_part(c.record, '|', 1) as system
    , split_part(c.record, '|', 2) as stream
    , substr(c.record, length(split_part(c.record, '|', 1)) + length(split_part(c.record, '|', 2)) + 3) as key
    , n.contact_id
    , p.contact_id as _was
from {{ ref('contact__cluster') }} as c join named as n using (cluster)
left join previous as p using (record)
