{#- text: the organs that represent a company, from the court register's JSON of one or of a list, with '; ' between them. -#}
{%- macro representing_bodies(value) -%}
{{ json_texts(value, '$.nazwaOrganu ? (@.type() == "string")') }}
{%- endmacro -%}
