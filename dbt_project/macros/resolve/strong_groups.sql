{% macro strong_groups(entity, strong, trust) -%}
{#- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
    identifier, it is conflicted: identifiers are then authoritative in the catalogue's order, and each value belongs to the
    one group that its records' more authoritative identifiers name. When they name several, it is ambiguous, and belongs
    to the one that the most trusted system names, or to none when that does not decide it. A record's value that belongs
    to another group is withheld: it is not published. -#}
with component as materialized (
    select node, root from ops.components($edges$
{%- if strong | length == 1 %}
        select null::bigint as a, null::bigint as b where false
{%- else %}
        with labelled as materialized ({{ labelled_members(entity, strong[0]) }})
{%- endif %}
{%- for identifier in strong[1:] %}
        select l.label as a, least.label as b from labelled as l join (
            select {{ identifier }}, min(label) as label from labelled where {{ identifier }} is not null group by {{ identifier }}
        ) as least using ({{ identifier }})
{%- if not loop.last %}
        union all
{%- endif %}
{%- endfor %}
    $edges$)
),
labelled as materialized (
    select l.n, coalesce(c.root, l.label) as root, {{ trust_rank("split_part(l.record, '|', 1)", trust) }} as rank, l.{{ strong | join(', l.') }}
    from ({{ labelled_members(entity, strong[0]) }}) as l left join component as c on c.node = l.label
),
conflicted_root as materialized (
    select root from labelled group by root having {{ holds_several_values(strong) }}
),
conflicted as materialized (
    select l.* from labelled as l join conflicted_root using (root)
),
{%- for identifier in strong %}
{{ identifier }}_group as materialized (
    {{ groups_by_value(identifier, strong[:loop.index0]) }}
),
{%- endfor %}
resolved as (
    select t.n, t.root, assigned.name
        , array_remove(array[
{%- for identifier in strong %}
            case when {{ identifier }}_group.claims > 1 then '{{ identifier }}' end{{ '' if loop.last else ',' }}
{%- endfor %}
        ], null) as ambiguous
        , array_remove(array[
{%- for identifier in strong %}
            case when {{ identifier }}_group.name <> assigned.name then '{{ identifier }}' end{{ '' if loop.last else ',' }}
{%- endfor %}
        ], null) as withheld
    from conflicted as t
{%- for identifier in strong %}
    left join {{ identifier }}_group on {{ identifier }}_group.value = t.{{ identifier }}
{%- endfor %}
    cross join lateral (select coalesce({{ strong | join('_group.name, ') }}_group.name) as name) as assigned
)
select l.n, l.root as group_id, false as conflicted, null::text[] as ambiguous, null::text[] as withheld
from labelled as l where not exists (select from conflicted_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, ambiguous, withheld from resolved
{%- endmacro %}

{% macro labelled_members(entity, identifier) -%}
{#- Records with one value of the first identifier get one label before the graph is looked at: few edges are left. -#}
select m.*, coalesce(first.n, m.n) as label
        from {{ ref(entity ~ '__member') }} as m left join (
            select {{ identifier }}, min(n) as n from {{ ref(entity ~ '__member') }} group by {{ identifier }}
        ) as first using ({{ identifier }})
{%- endmacro %}

{% macro groups_by_value(identifier, more_authoritative) -%}
{#- The group to which each value of the identifier belongs, and how many claim it. -#}
{%- if not more_authoritative -%}
    select distinct {{ identifier }} as value, '{{ identifier }}:' || {{ identifier }} as name, 1::bigint as claims
    from conflicted where {{ identifier }} is not null
{%- else -%}
    select v.value, coalesce(c.name, '{{ identifier }}:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct {{ identifier }} as value from conflicted where {{ identifier }} is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
{%- for other in more_authoritative %}
                select t.{{ identifier }} as value, g.name, t.rank from conflicted as t join {{ other }}_group as g on g.value = t.{{ other }}
                where t.{{ identifier }} is not null{% for before in more_authoritative[:loop.index0] %} and t.{{ before }} is null{% endfor %}
{%- if not loop.last %}
                union all
{%- endif %}
{%- endfor %}
            ) as named
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
{%- endif -%}
{%- endmacro %}
