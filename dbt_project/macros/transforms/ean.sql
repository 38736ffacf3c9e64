{#- text: an article number (GTIN-8, -12, -13 or -14) with a right check digit; twelve digits get their leading zero. -#}
{%- macro ean(value) -%}
(select case when length(digits) in (8, 12, 13, 14) and digits ~ '^[0-9]+$' then
    case when mod({{ digit_sum("lpad(digits, 14, '0')", [3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) }}
        + right(digits, 1)::int, 10) = 0
    then case when length(digits) = 12 then '0' || digits else digits end end end
 from (select {{ compacted(value) }} as digits offset 0) as ean)
{%- endmacro -%}
