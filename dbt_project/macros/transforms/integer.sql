{#- integer: a whole number of up to nine digits; leading zeros and a fraction of zeros do not matter. -#}
{%- macro integer(value) -%}
(select case when digits ~ '^[+-]?0*[0-9]{1,9}(\.0{1,30})?$' then trunc(digits::numeric)::integer end
 from (select {{ text(value) }} as digits offset 0) as whole)
{%- endmacro -%}
