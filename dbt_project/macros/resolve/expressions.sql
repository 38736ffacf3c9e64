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
join {{ published_table(entity, 'crosswalk_version') }} as v using (record)
where v._ended_publish_id is null
{%- endmacro %}

{% macro resolves_all(entity) -%}
{#- Whether all records of the entity are resolved again ('true', or ''), because what joins them is another. -#}
{{ 'true' if entity in var('full_mapping') or (entity ~ ':resolution') in var('full_mapping') else '' }}
{%- endmacro %}

{% macro known_identifiers(entity) -%}
{#- By what the published records can be recognised; a dry run has a view of it, with the columns of its own catalogue. -#}
{{ var('shadow', '') }}mapped.{{ entity }}__identifier
{%- endmacro %}

{% macro published_table(entity, table) -%}
{#- The published versions; a dry run has a view of them, which is empty where its entity is not there yet. -#}
{{ var('shadow', '') ~ 'mapped' if var('shadow', '') else 'conformed' }}.{{ entity }}_{{ table }}
{%- endmacro %}
