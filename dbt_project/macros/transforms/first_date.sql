{#- date: the first of several fields that holds something, as yyyy-MM-dd. -#}
{%- macro first_date(value) -%}
{{ date_iso("coalesce(" ~ ([value] + (varargs | list)) | join(", ") ~ ")") }}
{%- endmacro -%}
