{#- text: the elements of a JSON list of texts, each once, in their order with '; ' between them. -#}
{%- macro texts(value) -%}
{{ json_texts(value, '$[*] ? (@.type() == "string")') }}
{%- endmacro -%}
