{#- text: blanks (of every kind, and control characters) collapsed to one and trimmed; nothing left is NULL. -#}
{%- macro text(value) -%}
nullif(btrim(regexp_replace({{ value }}, '[\s\u200b\u2060\ufeff[:cntrl:]]+', ' ', 'g')), '')
{%- endmacro -%}
