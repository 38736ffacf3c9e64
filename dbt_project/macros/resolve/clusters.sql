{% macro clusters(entity, strong, probabilistic=false) -%}
{#- Which records are one and the same: the strong groups, joined where name and address agree without contradiction. -#}
{%- if probabilistic -%}
with component as materialized (
    select node, root from ops.components($edges$
        select group_id as a, hub as b from {{ ref(entity ~ '__probabilistic') }}
    $edges$)
),
joined as materialized (
    select m.record, s.group_id, c.root, m.{{ strong | join(', m.') }}
    from {{ ref(entity ~ '__member') }} as m
    join {{ ref(entity ~ '__strong') }} as s using (n)
    left join component as c on c.node = s.group_id
),
conflicted as materialized (
    select root from joined where root is not null
    group by root having {{ holds_several_values(strong) }}
)
select record, case when root is null or root in (select root from conflicted) then group_id else root end as cluster
from joined
{%- else -%}
select m.record, s.group_id as cluster
from {{ ref(entity ~ '__member') }} as m join {{ ref(entity ~ '__strong') }} as s using (n)
{%- endif -%}
{%- endmacro %}
