{# What holds of every entity's candidates: a data test gives the rows that break it. #}

{% macro every_record_has_one_golden_record(entity) -%}
{#- Each touched record is in the crosswalk once, and its golden record is there. -#}
select m.record from {{ ref(entity ~ '__member') }} as m
left join {{ ref(entity ~ '__candidate_crosswalk') }} as x using (record)
left join {{ ref(entity ~ '__candidate') }} as g using ({{ entity }}_id)
group by m.record having count(g.{{ entity }}_id) <> 1
{%- endmacro %}

{% macro no_golden_record_without_records(entity) -%}
{#- A golden record is there once, and stands for at least one record. -#}
select g.{{ entity }}_id from {{ ref(entity ~ '__candidate') }} as g
left join (select distinct {{ entity }}_id from {{ ref(entity ~ '__candidate_crosswalk') }}) as x using ({{ entity }}_id)
group by g.{{ entity }}_id having count(x.{{ entity }}_id) <> 1
{%- endmacro %}
