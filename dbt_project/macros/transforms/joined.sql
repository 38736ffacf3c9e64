{#- text: the parts of a key with | between them; NULL when one of them is missing. Takes any number of fields. -#}
{%- macro joined(value) -%}
({{ text(value) }}{% for part in varargs %} || '|' || {{ text(part) }}{% endfor %})
{%- endmacro -%}
