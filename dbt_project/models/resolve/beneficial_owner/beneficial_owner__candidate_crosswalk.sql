-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- The lasting id of each cluster. A previous id is awarded to the cluster that holds most of its previous members (then:
-- the smallest record of them). A cluster keeps the oldest id awarded to it (then: the one with most members, then: with
-- the smallest record). A cluster with none gets the id of its smallest record whose id is not in use. Ids are made from
-- records, so the same input gives the same ids again.
with previous as materialized (
    select record, v.beneficial_owner_id
    from (
        select record from {{ ref('beneficial_owner__member') }}
        union
        select record from {{ ref('beneficial_owner__changed') }}
    ) as looked_at
    join conformed.beneficial_owner_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
, vote as (
    select p.beneficial_owner_id, c.cluster, count(*) as members, min(record) as first_record
    from previous as p join {{ ref('beneficial_owner__cluster') }} as c using (record)
    group by p.beneficial_owner_id, c.cluster
),
awarded as (
    select distinct on (beneficial_owner_id) beneficial_owner_id, cluster, members, first_record from vote
    order by beneficial_owner_id, members desc, first_record
),
kept as materialized (
    select distinct on (a.cluster) a.cluster, a.beneficial_owner_id
    from awarded as a
    join (
        select beneficial_owner_id, min(_publish_id) as since from conformed.beneficial_owner_version
        where beneficial_owner_id in (select beneficial_owner_id from awarded) group by beneficial_owner_id
    ) as age using (beneficial_owner_id)
    order by a.cluster, age.since, a.members desc, a.first_record
),
founder as (
    select f.cluster, min(f.record) as first_record, min(f.record) filter (where not f.used) as record
    from (
        select c.cluster, c.record, exists (
            select from conformed.beneficial_owner_crosswalk_version as v
            where v.beneficial_owner_id = md5('beneficial_owner|' || c.record)::uuid and v._ended_publish_id is null
        ) as used
        from {{ ref('beneficial_owner__cluster') }} as c
        where not exists (select from kept as k where k.cluster = c.cluster)
    ) as f
    group by f.cluster
),
named as (
    select cluster, beneficial_owner_id from kept
    union all
    select cluster, case
        when record is not null then md5('beneficial_owner|' || record)::uuid
        -- The ids of all its records live on with others: how often the first record has moved makes another one.
        else md5('beneficial_owner|' || first_record || '|' || (
            select count(*) from conformed.beneficial_owner_crosswalk_version as v where v.record = first_record))::uuid
    end
    from founder
)
select c.record
    , split_part(c.record, '|', 1) as system
    , split_part(c.record, '|', 2) as stream
    , substr(c.record, length(split_part(c.record, '|', 1)) + length(split_part(c.record, '|', 2)) + 3) as key
    , n.beneficial_owner_id
    , p.beneficial_owner_id as _was
from {{ ref('beneficial_owner__cluster') }} as c join named as n using (cluster)
left join previous as p using (record)
