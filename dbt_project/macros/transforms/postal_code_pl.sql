{#- text: a Polish postal code, 00-950. -#}
{%- macro postal_code_pl(value) -%}
(select case when length(digits) = 5 and digits ~ '^[0-9]+$' then left(digits, 2) || '-' || right(digits, 3) end
 from (select {{ compacted(value) }} as digits offset 0) as postal_code)
{%- endmacro -%}
