{#- numeric: the first of several fields that holds something, as a number. -#}
{%- macro first_number(value) -%}
{{ numeric("coalesce(" ~ ([value] + (varargs | list)) | join(", ") ~ ")") }}
{%- endmacro -%}
