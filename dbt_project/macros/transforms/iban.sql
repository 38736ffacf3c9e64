{#- text: a bank account as IBAN with a right checksum and its country's length (ISO 13616); 26 digits alone are Polish. -#}
{%- macro iban(value) -%}
{%- set lengths = {'AT': 20, 'BE': 16, 'BG': 22, 'CH': 21, 'CY': 28, 'CZ': 24, 'DE': 22, 'DK': 18, 'EE': 20, 'ES': 24, 'FI': 18,
    'FR': 27, 'GB': 22, 'GR': 27, 'HR': 21, 'HU': 28, 'IE': 22, 'IS': 26, 'IT': 27, 'LI': 21, 'LT': 20, 'LU': 20, 'LV': 21,
    'MT': 31, 'NL': 18, 'NO': 15, 'PL': 28, 'PT': 25, 'RO': 24, 'SE': 24, 'SI': 19, 'SK': 24, 'UA': 29} -%}
(select case when number ~ '^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$'
    and length(number) = ('{{ lengths | tojson }}'::jsonb ->> left(number, 2))::int then
    case when mod((select string_agg(case when letter between 'A' and 'Z' then (ascii(letter) - 55)::text else letter end, ''
                   order by place)
        from string_to_table(substr(number, 5) || left(number, 4), null) with ordinality as letters (letter, place))::numeric, 97) = 1
    then number end end
 from (select case when length(account) = 26 and account ~ '^[0-9]+$' then 'PL' || account else account end as number
       from (select {{ compacted(value) }} as account offset 0) as compacted offset 0) as iban)
{%- endmacro -%}
