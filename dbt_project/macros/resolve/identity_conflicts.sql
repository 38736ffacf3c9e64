{% macro identity_conflicts(entity, strong) -%}
{#- Where strong identifiers contradict each other: see ops.identity_conflict. -#}
with conflicted as materialized (
    select m.*, s.group_id, s.ambiguous
    from {{ ref(entity ~ '__strong') }} as s join {{ ref(entity ~ '__member') }} as m using (n)
    where s.conflicted
)
{%- for identifier in strong %}
select '{{ identifier }}' as identifier, 'ambiguous' as reason, array_agg(record order by record) as records
from conflicted where '{{ identifier }}' = any (ambiguous) group by {{ identifier }}
union all
select '{{ identifier }}', 'several_values', array_agg(record order by record)
from conflicted where {{ identifier }} is not null group by group_id having min({{ identifier }}) <> max({{ identifier }})
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
{%- endmacro %}
