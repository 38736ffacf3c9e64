{#- text: how a company is represented, from the court register's JSON of one organ or of a list, with '; ' between them. -#}
{%- macro representation_rules(value) -%}
{{ json_texts(value, '$.sposobReprezentacji ? (@.type() == "string")') }}
{%- endmacro -%}
