{#- text: a Polish tax number (NIP), ten digits with a right check digit; separators and the prefix PL are dropped. -#}
{%- macro nip(value) -%}
(select case when digits ~ '^[0-9]{10}$' and digits <> '0000000000' then
    case when mod({{ digit_sum('digits', [6, 5, 7, 2, 3, 4, 5, 6, 7]) }}, 11) = substr(digits, 10, 1)::int then digits end end
 from (select regexp_replace(upper({{ value }}), '^\s*PL|[\s\u2010-\u2015./-]', '', 'g') as digits offset 0) as nip)
{%- endmacro -%}
