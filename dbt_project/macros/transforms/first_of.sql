{#- text: the first of several fields that holds something. Takes any number of fields. -#}
{%- macro first_of(value) -%}
coalesce({{ text(value) }}{% for part in varargs %}, {{ text(part) }}{% endfor %})
{%- endmacro -%}
