{% macro ended_ids(entity) -%}
{%- set id = entity ~ '_id' -%}
{#- The ids that end with this publish, and the golden record that took in most of their members. -#}
with previous as materialized (
{{ previous_ids(entity) }}
)
select distinct on (p.{{ id }}) p.{{ id }}, successor.{{ id }} as merged_into
from previous as p
left join {{ ref(entity ~ '__candidate_crosswalk') }} as successor using (record)
where not exists (
    select from {{ ref(entity ~ '__candidate_crosswalk') }} as living where living.{{ id }} = p.{{ id }})
group by p.{{ id }}, successor.{{ id }}
order by p.{{ id }}, (successor.{{ id }} is null), count(*) desc, min(record)
{%- endmacro %}
