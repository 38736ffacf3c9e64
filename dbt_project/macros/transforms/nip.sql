{#- text: a Polish tax number (NIP), ten digits with a right check digit; separators and the prefix PL are dropped. -#}
{%- macro nip(value) -%}
(select case when length(digits) = 10 and digits ~ '^[0-9]+$' and digits <> '0000000000' then
    case when mod({{ digit_sum('digits', [6, 5, 7, 2, 3, 4, 5, 6, 7]) }}, 11) = substr(digits, 10, 1)::int then digits end end
 from (select case when left(number, 2) = 'PL' then substr(number, 3) else number end as digits
       from (select {{ compacted(value) }} as number offset 0) as compacted offset 0) as nip)
{%- endmacro -%}
