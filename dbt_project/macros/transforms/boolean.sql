{#- boolean: true or false, 1 or 0, tak or nie, T or N, yes or no; capitals do not matter. -#}
{%- macro boolean(value) -%}
(select case when word in ('true', '1', 't', 'tak', 'y', 'yes', 'x') then true
    when word in ('false', '0', 'n', 'nie', 'f', 'no') then false end
 from (select lower({{ text(value) }}) as word offset 0) as boolean)
{%- endmacro -%}
