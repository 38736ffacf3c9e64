{# Small pieces of SQL that the models of resolution share. #}

{% macro trust_rank(system, trust) -%}
{#- The place of a system in the trust order, 1 for the most trusted; a system that is not in it comes last. -#}
case {{ system }}{% for trusted in trust %} when '{{ trusted }}' then {{ loop.index }}{% endfor %} else {{ trust | length + 1 }} end
{%- endmacro %}

{% macro holds_several_values(identifiers) -%}
{#- Of a group of records: whether it has two values of any of the identifiers. -#}
{% for identifier in identifiers %}min({{ identifier }}) <> max({{ identifier }}){{ '' if loop.last else ' or ' }}{% endfor %}
{%- endmacro %}

{% macro previous_ids(entity) -%}
{#- The golden record to which each record that is looked at belonged until now. -#}
select record, v.{{ entity }}_id
from (
    select record from {{ ref(entity ~ '__member') }}
    union
    select record from {{ ref(entity ~ '__changed') }}
) as looked_at
join conformed.{{ entity }}_crosswalk_version as v using (record)
where v._ended_publish_id is null
{%- endmacro %}
