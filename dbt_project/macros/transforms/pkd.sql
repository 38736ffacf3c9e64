{#- text: a subclass of the Polish classification of activities as it is written ('62.10.B'), from its division, class and
    subclass, or from one text, with or without its dots. Anything else is NULL. -#}
{%- macro pkd(value, class="null::text", subclass="null::text") -%}
(select case when code ~ '^[0-9]{4}[A-Z]$' then left(code, 2) || '.' || substr(code, 3, 2) || '.' || right(code, 1) end
 from (select {{ compacted("concat(" ~ value ~ ", " ~ class ~ ", " ~ subclass ~ ")") }} as code offset 0) as pkd)
{%- endmacro -%}
