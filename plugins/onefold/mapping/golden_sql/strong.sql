-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name, or to none when they name several (contested).
<% macro torn() %><% for kind in kinds %>min(<< kind >>) <> max(<< kind >>)<< '' if loop.last else ' or ' >><% endfor %><% endmacro %>
with component as materialized (
    select node, root from ops.components($edges$
<% for kind in kinds %>
        select n as a, min(n) over (partition by << kind >>) as b from {{ ref('<< name >>__member') }} where << kind >> is not null
<% if not loop.last %>
        union all
<% endif %>
<% endfor %>
    $edges$)
),
labelled as materialized (
    select m.n, coalesce(c.root, m.n) as root, m.<< kinds | join(', m.') >>
    from {{ ref('<< name >>__member') }} as m left join component as c on c.node = m.n
),
torn_root as materialized (
    select root from labelled group by root having << torn() >>
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
<% for kind in kinds %>
<% set earlier = kinds[:loop.index0] %>
<< kind >>_group as materialized (
<% if not earlier %>
    select distinct << kind >> as value, '<< kind >>:' || << kind >> as name, 1::bigint as claims
    from torn where << kind >> is not null
<% else %>
    select v.value, case when count(c.name) = 1 then min(c.name) else '<< kind >>:' || v.value end as name, count(c.name) as claims
    from (select distinct << kind >> as value from torn where << kind >> is not null) as v
    left join (
<% for other in earlier %>
        select t.<< kind >> as value, g.name from torn as t join << other >>_group as g on g.value = t.<< other >>
        where t.<< kind >> is not null<% for before in earlier[:loop.index0] %> and t.<< before >> is null<% endfor %>

<% if not loop.last %>
        union
<% endif %>
<% endfor %>
    ) as c using (value)
    group by v.value
<% endif %>
),
<% endfor %>
mended as (
    select t.n, t.root
        , coalesce(<< kinds | join('_group.name, ') >>_group.name) as name
        , array_remove(array[
<% for kind in kinds %>
            case when t.<< kind >> in (select value from << kind >>_group where claims > 1) then '<< kind >>' end<< '' if loop.last else ',' >>
<% endfor %>
        ], null) as contested
    from torn as t
<% for kind in kinds %>
    left join << kind >>_group on << kind >>_group.value = t.<< kind >><% for before in kinds[:loop.index0] %> and t.<< before >> is null<% endfor %>

<% endfor %>
)
select l.n, l.root as unit, false as torn, null::text[] as contested
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested from mended
