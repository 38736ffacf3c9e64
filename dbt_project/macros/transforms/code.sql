{#- text: what the source's code means, by the catalogue's `codes`; a code that they do not list is not understood. Of several
    fields the codes are joined by |, as in 'A|C'. The codes are the last argument. -#}
{%- macro code(value) -%}
('{{ varargs[-1] | tojson }}'::jsonb ->>
{%- if varargs | length == 1 %} {{ text(value) }}{% else %} concat(coalesce({{ text(value) }}, '')
{%- for part in varargs[:-1] %}, '|', coalesce({{ text(part) }}, ''){% endfor %}){% endif %})
{%- endmacro -%}
