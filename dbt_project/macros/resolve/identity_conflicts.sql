{% macro identity_conflicts(entity, strong) -%}
{#- Where strong identifiers contradict each other: see ops.identity_conflict. -#}
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref(entity ~ '__strong') }} as s join {{ ref(entity ~ '__member') }} as m using (n)
    where s.torn
)
{%- for identifier in strong %}
select '{{ identifier }}' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where '{{ identifier }}' = any (contested) group by {{ identifier }}
union all
select '{{ identifier }}', 'plural', array_agg(record order by record)
from torn where {{ identifier }} is not null group by unit having min({{ identifier }}) <> max({{ identifier }})
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
{%- endmacro %}
