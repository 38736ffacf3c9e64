{#- The country that has the name or code; NULL when there is none. -#}
{%- macro country_named(name) -%}
(select known.country from ops.country_name as known where known.name = {{ folded(name) }})
{%- endmacro -%}
