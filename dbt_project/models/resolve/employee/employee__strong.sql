-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['employee']) }}

-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name. When they name several, it is contested, and belongs
-- to the one that the most trusted system names, or to none when that does not decide it. A record's value that belongs
-- to another group is disowned: it is not published.
with component as materialized (
    select node, root from ops.components($edges$
        with labelled as materialized (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('employee__member') }} as m left join (
            select hr_number, min(n) as n from {{ ref('employee__member') }} group by hr_number
        ) as first using (hr_number))
        select l.label as a, least.label as b from labelled as l join (
            select email, min(label) as label from labelled where email is not null group by email
        ) as least using (email)
    $edges$)
),
labelled as materialized (
    select l.n, coalesce(c.root, l.label) as root, case split_part(l.record, '|', 1) when 'hr' then 1 else 2 end as rank, l.hr_number, l.email
    from (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('employee__member') }} as m left join (
            select hr_number, min(n) as n from {{ ref('employee__member') }} group by hr_number
        ) as first using (hr_number)) as l left join component as c on c.node = l.label
),
torn_root as materialized (
    select root from labelled group by root having min(hr_number) <> max(hr_number) or min(email) <> max(email)
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
hr_number_group as materialized (
    select distinct hr_number as value, 'hr_number:' || hr_number as name, 1::bigint as claims
    from torn where hr_number is not null
),
email_group as materialized (
    select v.value, coalesce(c.name, 'email:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct email as value from torn where email is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
                select t.email as value, g.name, t.rank from torn as t join hr_number_group as g on g.value = t.hr_number
                where t.email is not null
            ) as said
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
),
mended as (
    select t.n, t.root, own.name
        , array_remove(array[
            case when hr_number_group.claims > 1 then 'hr_number' end,
            case when email_group.claims > 1 then 'email' end
        ], null) as contested
        , array_remove(array[
            case when hr_number_group.name <> own.name then 'hr_number' end,
            case when email_group.name <> own.name then 'email' end
        ], null) as disowned
    from torn as t
    left join hr_number_group on hr_number_group.value = t.hr_number
    left join email_group on email_group.value = t.email
    cross join lateral (select coalesce(hr_number_group.name, email_group.name) as name) as own
)
select l.n, l.root as unit, false as torn, null::text[] as contested, null::text[] as disowned
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested, disowned from mended
