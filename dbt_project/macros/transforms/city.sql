{#- text: a town's name in the usual spelling. -#}
{%- macro city(value) -%}
{{ titled("regexp_replace(" ~ text(value) ~ ", '^m\\. ?st\\. ?', '', 'i')") }}
{%- endmacro -%}
