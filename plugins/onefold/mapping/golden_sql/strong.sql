-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name. When they name several, it is contested, and belongs
-- to the one that the most trusted system names, or to none when that does not decide it. A record's value that belongs
-- to another group is disowned: it is not published.
<% macro rank(of) %>case split_part(<< of >>.record, '|', 1)<% for system in entity.trust %> when '<< system >>' then << loop.index >><% endfor %> else << entity.trust | length + 1 >> end<% endmacro %>
<% macro torn() %><% for kind in kinds %>min(<< kind >>) <> max(<< kind >>)<< '' if loop.last else ' or ' >><% endfor %><% endmacro %>
<# Records of one first identifier are put under one label before the graph is looked at: few edges are left. #>
<% macro label() %>select m.*, coalesce(first.n, m.n) as label
        from {{ ref('<< name >>__member') }} as m left join (
            select << kinds[0] >>, min(n) as n from {{ ref('<< name >>__member') }} group by << kinds[0] >>
        ) as first using (<< kinds[0] >>)<% endmacro %>
with component as materialized (
    select node, root from ops.components($edges$
<% if kinds | length == 1 %>
        select null::bigint as a, null::bigint as b where false
<% else %>
        with labelled as materialized (<< label() >>)
<% endif %>
<% for kind in kinds[1:] %>
        select l.label as a, least.label as b from labelled as l join (
            select << kind >>, min(label) as label from labelled where << kind >> is not null group by << kind >>
        ) as least using (<< kind >>)
<% if not loop.last %>
        union all
<% endif %>
<% endfor %>
    $edges$)
),
labelled as materialized (
    select l.n, coalesce(c.root, l.label) as root, << rank('l') >> as rank, l.<< kinds | join(', l.') >>
    from (<< label() >>) as l left join component as c on c.node = l.label
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
    select v.value, coalesce(c.name, '<< kind >>:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct << kind >> as value from torn where << kind >> is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
<% for other in earlier %>
                select t.<< kind >> as value, g.name, t.rank from torn as t join << other >>_group as g on g.value = t.<< other >>
                where t.<< kind >> is not null<% for before in earlier[:loop.index0] %> and t.<< before >> is null<% endfor %>

<% if not loop.last %>
                union all
<% endif %>
<% endfor %>
            ) as said
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
<% endif %>
),
<% endfor %>
mended as (
    select t.n, t.root, own.name
        , array_remove(array[
<% for kind in kinds %>
            case when << kind >>_group.claims > 1 then '<< kind >>' end<< '' if loop.last else ',' >>
<% endfor %>
        ], null) as contested
        , array_remove(array[
<% for kind in kinds %>
            case when << kind >>_group.name <> own.name then '<< kind >>' end<< '' if loop.last else ',' >>
<% endfor %>
        ], null) as disowned
    from torn as t
<% for kind in kinds %>
    left join << kind >>_group on << kind >>_group.value = t.<< kind >>
<% endfor %>
    cross join lateral (select coalesce(<< kinds | join('_group.name, ') >>_group.name) as name) as own
)
select l.n, l.root as unit, false as torn, null::text[] as contested, null::text[] as disowned
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested, disowned from mended
