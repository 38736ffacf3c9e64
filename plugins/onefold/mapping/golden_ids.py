"""The dbt models that give clusters their lasting ids, and the tests that hold the result to its promises.

A previous id is awarded to the cluster that holds most of its previous members (then: the smallest record of them).
A cluster keeps the oldest id awarded to it (then: the one with the smallest record). A cluster with none gets the id
of its smallest record whose id is not in use. Ids come from records, so the same input gives the same ids again.
"""

from __future__ import annotations

from onefold.catalog.entity import Entity


def models(entity: Entity) -> dict[str, str]:
    """The models by name: the candidate crosswalk, and the ids that end with it."""
    return {
        f"{entity.entity}__candidate_crosswalk": _crosswalk(entity.entity),
        f"{entity.entity}__ended": _ended(entity.entity),
    }


def _previous(name: str) -> str:
    return f"""previous as materialized (
    select record, customer_id from conformed.{name}_crosswalk_version
    where _ended_publish_id is null and (
        record in (select record from {{{{ ref('{name}__member') }}}})
        or record in (select record from {{{{ ref('{name}__changed') }}}}))
)""".replace("customer_id", f"{name}_id")


def _crosswalk(name: str) -> str:
    return f"""with {_previous(name)}, vote as (
    select p.{name}_id, c.cluster, count(*) as members, min(record) as first_record
    from previous as p join {{{{ ref('{name}__cluster') }}}} as c using (record)
    group by p.{name}_id, c.cluster
), awarded as (
    select distinct on ({name}_id) {name}_id, cluster, first_record from vote
    order by {name}_id, members desc, first_record
), kept as materialized (
    select distinct on (a.cluster) a.cluster, a.{name}_id
    from awarded as a
    join (
        select {name}_id, min(_publish_id) as since from conformed.{name}_version
        where {name}_id in (select {name}_id from awarded) group by {name}_id
    ) as age using ({name}_id)
    order by a.cluster, age.since, a.first_record
), founder as (
    select c.cluster, min(c.record) as first_record,
        min(c.record) filter (where used.{name}_id is null) as record
    from (
        select cluster, record, md5('{name}|' || record)::uuid as {name}_id from {{{{ ref('{name}__cluster') }}}}
        where cluster not in (select cluster from kept)
    ) as c
    left join (
        select distinct {name}_id from conformed.{name}_crosswalk_version where _ended_publish_id is null
    ) as used using ({name}_id)
    group by c.cluster
), founded as (
    select cluster, case
        when record is not null then md5('{name}|' || record)::uuid
        -- Every record's own id lives on with others: how often the record has moved tells this id from them.
        else md5('{name}|' || first_record || '|' || (
            select count(*) from conformed.{name}_crosswalk_version as v where v.record = first_record))::uuid
    end as {name}_id
    from founder
), named as (
    select cluster, {name}_id from kept union all select cluster, {name}_id from founded
)
select c.record, split_part(c.record, '|', 1) as system, split_part(c.record, '|', 2) as stream,
    substr(c.record, length(split_part(c.record, '|', 1)) + length(split_part(c.record, '|', 2)) + 3) as key,
    n.{name}_id
from {{{{ ref('{name}__cluster') }}}} as c join named as n using (cluster)"""


def _ended(name: str) -> str:
    return f"""with {_previous(name)}
select distinct on (p.{name}_id) p.{name}_id, now_in.{name}_id as merged_into
from previous as p
left join {{{{ ref('{name}__candidate_crosswalk') }}}} as now_in using (record)
where p.{name}_id not in (select {name}_id from {{{{ ref('{name}__candidate_crosswalk') }}}})
group by p.{name}_id, now_in.{name}_id
order by p.{name}_id, (now_in.{name}_id is null), count(*) desc, min(record)"""


def tests(entity: Entity) -> dict[str, str]:
    """dbt tests by name: each finds the rows that break a promise of conforming."""
    name = entity.entity
    cluster = f"{{{{ ref('{name}__candidate_crosswalk') }}}}"
    return {
        f"{name}__every_record_has_one_golden_record": f"""-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{{{ ref('{name}__member') }}}} as m
left join {cluster} as x using (record)
left join {{{{ ref('{name}__candidate') }}}} as g using ({name}_id)
group by m.record having count(g.{name}_id) <> 1
""",
        f"{name}__no_golden_record_without_records": f"""-- A golden record stands for at least one record, and is there once.
select g.{name}_id from {{{{ ref('{name}__candidate') }}}} as g
left join (select distinct {name}_id from {cluster}) as x using ({name}_id)
group by g.{name}_id having count(x.{name}_id) <> 1
""",
    }
