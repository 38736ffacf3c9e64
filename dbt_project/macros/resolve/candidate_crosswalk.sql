{% macro candidate_crosswalk(entity) -%}
{%- set id = entity ~ '_id' -%}
{#- The lasting id of each cluster. A previous id is assigned to the cluster that holds most of its previous members (then:
    the smallest record of them). A cluster keeps the oldest id assigned to it (then: the one with most members, then: with
    the smallest record). A cluster with none gets the id of its smallest record whose id is not in use. Ids are made from
    records, so the same input gives the same ids again. -#}
with previous as materialized (
{{ previous_ids(entity) }}
),
overlap as (
    select p.{{ id }}, c.cluster, count(*) as members, min(record) as first_record
    from previous as p join {{ ref(entity ~ '__cluster') }} as c using (record)
    group by p.{{ id }}, c.cluster
),
assigned as (
    select distinct on ({{ id }}) {{ id }}, cluster, members, first_record from overlap
    order by {{ id }}, members desc, first_record
),
retained as materialized (
    select distinct on (a.cluster) a.cluster, a.{{ id }}
    from assigned as a
    join (
        select {{ id }}, min(_publish_id) as since from {{ published_table(entity, 'version') }}
        where {{ id }} in (select {{ id }} from assigned) group by {{ id }}
    ) as age using ({{ id }})
    order by a.cluster, age.since, a.members desc, a.first_record
),
seed as (
    select f.cluster, min(f.record) as first_record, min(f.record) filter (where not f.used) as record
    from (
        select c.cluster, c.record, exists (
            select from {{ published_table(entity, 'crosswalk_version') }} as v
            where v.{{ id }} = md5('{{ entity }}|' || c.record)::uuid and v._ended_publish_id is null
        ) as used
        from {{ ref(entity ~ '__cluster') }} as c
        where not exists (select from retained as r where r.cluster = c.cluster)
    ) as f
    group by f.cluster
),
named as (
    select cluster, {{ id }} from retained
    union all
    select cluster, case
        when record is not null then md5('{{ entity }}|' || record)::uuid
        -- The ids of all its records live on with others: how often the first record has moved makes another one.
        else md5('{{ entity }}|' || first_record || '|' || (
            select count(*) from {{ published_table(entity, 'crosswalk_version') }} as v where v.record = first_record))::uuid
    end
    from seed
)
select c.record
    , split_part(c.record, '|', 1) as system
    , split_part(c.record, '|', 2) as stream
    , substr(c.record, length(split_part(c.record, '|', 1)) + length(split_part(c.record, '|', 2)) + 3) as key
    , n.{{ id }}
    , p.{{ id }} as _previous_id
from {{ ref(entity ~ '__cluster') }} as c join named as n using (cluster)
left join previous as p using (record)
{%- endmacro %}
