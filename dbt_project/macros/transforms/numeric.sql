{#- numeric: a number with a decimal point, as JSON writes it. -#}
{%- macro numeric(value) -%}
(select case when digits ~ '^[+-]?[0-9]{1,30}(\.[0-9]{1,30})?(e[+-]?[0-9]{1,2})?$' then digits::numeric end
 from (select lower({{ text(value) }}) as digits offset 0) as number)
{%- endmacro -%}
