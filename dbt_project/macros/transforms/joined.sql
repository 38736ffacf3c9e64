{#- text: the parts of a key with | between them, a missing one empty; NULL when all are missing. Takes any number of fields. -#}
{%- macro joined(value) -%}
(select case when key <> '{{ '|' * (varargs | length) }}' then key end
 from (select concat(coalesce({{ text(value) }}, '')
{%- for part in varargs %}, '|', coalesce({{ text(part) }}, ''){% endfor %}) as key offset 0) as joined)
{%- endmacro -%}
