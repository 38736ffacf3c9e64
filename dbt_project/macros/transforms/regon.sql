{#- text: a REGON's nine digits with a right check digit. Of the 14 digits of a local unit the company's nine are given;
    the court register pads the nine with 00000, which is not a check digit. -#}
{%- macro regon(value) -%}
(select case when length(digits) in (9, 14) and digits ~ '^[0-9]+$' and left(digits, 9) <> '000000000' then
    case when mod(mod({{ digit_sum('digits', [8, 9, 2, 3, 4, 5, 6, 7]) }}, 11), 10) = substr(digits, 9, 1)::int then
        case when length(digits) = 9 or substr(digits, 10) = '00000' then left(digits, 9)
             when mod(mod({{ digit_sum('digits', [2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) }}, 11), 10) = substr(digits, 14, 1)::int
             then left(digits, 9) end end end
 from (select {{ compacted(value) }} as digits offset 0) as regon)
{%- endmacro -%}
