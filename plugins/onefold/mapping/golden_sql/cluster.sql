-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
<% if cautious %>
with component as materialized (
    select node, root from ops.components($edges$
        select unit as a, hub as b from {{ ref('<< name >>__cautious') }}
    $edges$)
),
joined as materialized (
    select m.record, s.unit, c.root, m.<< kinds | join(', m.') >>
    from {{ ref('<< name >>__member') }} as m
    join {{ ref('<< name >>__strong') }} as s using (n)
    left join component as c on c.node = s.unit
),
torn as materialized (
    select root from joined where root is not null
    group by root having <% for kind in kinds %>min(<< kind >>) <> max(<< kind >>)<< '' if loop.last else ' or ' >><% endfor %>

)
select record, case when root is null or root in (select root from torn) then unit else root end as cluster
from joined
<% else %>
select m.record, s.unit as cluster
from {{ ref('<< name >>__member') }} as m join {{ ref('<< name >>__strong') }} as s using (n)
<% endif %>
