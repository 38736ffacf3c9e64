{#- text: the country codes of a list of CRBR's {Kod, Nazwa}, in its order with blanks between them. -#}
{%- macro citizenships(value) -%}
{{ json_texts(value, '$[*].Kod ? (@.type() == "string")', ' ') }}
{%- endmacro -%}
