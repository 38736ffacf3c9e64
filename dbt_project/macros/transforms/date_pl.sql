{#- date: dd.MM.yyyy; a day that does not exist is not understood. -#}
{%- macro date_pl(value) -%}
{{ date_iso("regexp_replace(" ~ text(value) ~ ", '^([0-9]{2})\\.([0-9]{2})\\.([0-9]{4})$', '\\3-\\2-\\1')") }}
{%- endmacro -%}
