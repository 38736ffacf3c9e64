-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('<< name >>__strong') }} as s join {{ ref('<< name >>__member') }} as m using (n)
    where s.torn
)
<% for kind in kinds %>
select '<< kind >>' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where '<< kind >>' = any (contested) group by << kind >>
union all
select '<< kind >>', 'plural', array_agg(record order by record)
from torn where << kind >> is not null group by unit having min(<< kind >>) <> max(<< kind >>)
<% if not loop.last %>
union all
<% endif %>
<% endfor %>
