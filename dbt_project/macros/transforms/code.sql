{#- text: what the source's code means, by the catalogue's `codes`; a code that they do not list is not understood. -#}
{%- macro code(value, codes) -%}
('{{ codes | tojson }}'::jsonb ->> {{ text(value) }})
{%- endmacro -%}
