{% macro ended_ids(entity) -%}
{%- set id = entity ~ '_id' -%}
{#- The ids that end with this publish, and the golden record that took in most of their members. -#}
with previous as materialized (
{{ previous_ids(entity) }}
)
select distinct on (p.{{ id }}) p.{{ id }}, heir.{{ id }} as merged_into
from previous as p
left join {{ ref(entity ~ '__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref(entity ~ '__candidate_crosswalk') }} as lives where lives.{{ id }} = p.{{ id }})
group by p.{{ id }}, heir.{{ id }}
order by p.{{ id }}, (heir.{{ id }} is null), count(*) desc, min(record)
{%- endmacro %}
