{#- text: a number in the Polish court register, ten digits; leading zeros that a spreadsheet ate are restored. Numbers given
    so far begin with 000, so a nine-digit REGON in the wrong field is not taken for one. -#}
{%- macro krs(value) -%}
(select case when digits ~ '^[0-9]+$' and left(digits, 3) = '000' and digits <> '0000000000' then digits end
 from (select case when length(number) between 1 and 10 then lpad(number, 10, '0') end as digits
       from (select replace({{ compacted(value) }}, 'KRS', '') as number offset 0) as compacted
       offset 0) as krs)
{%- endmacro -%}
