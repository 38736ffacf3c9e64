{#- text: a REGON's nine digits with a right check digit. Of the 14 digits of a local unit the company's nine are given;
    the court register pads the nine with 00000, which is not a check digit. -#}
{%- macro regon(value) -%}
(select case when digits ~ '^[0-9]{9}([0-9]{5})?$' and digits !~ '^0{9}' then
    case when mod(mod({{ digit_sum('digits', [8, 9, 2, 3, 4, 5, 6, 7]) }}, 11), 10) = substr(digits, 9, 1)::int then
        case when length(digits) = 9 or substr(digits, 10) = '00000' then left(digits, 9)
             when mod(mod({{ digit_sum('digits', [2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) }}, 11), 10) = substr(digits, 14, 1)::int
             then left(digits, 9) end end end
 from (select regexp_replace({{ value }}, '[\s\u2010-\u2015./-]', '', 'g') as digits offset 0) as regon)
{%- endmacro -%}
