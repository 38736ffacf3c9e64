{#- text: a country's ISO 3166-1 alpha-2 code, from the code (of two letters, three letters or three digits) or from its name in
    Polish, English, German or one of its own languages (ops.country_name). Of several names ('PL - POLSKA') all that are
    known must be of one country. What is written for 'none' (n/a, b.d.) is no country's code. -#}
{%- macro country_iso2(value) -%}
(select case when written in ('PL', 'Polska', 'POLSKA', 'Poland', 'POLAND') then 'PL'
    when upper(translate(written, '/ ', '..')) in ('N.A', 'N.A.', 'B.D', 'B.D.') then null else coalesce({{ country_named('written') }},
    case when written ~ '[-–/(,;]' then (
        select case when count(distinct country) = 1 then min(country) end
        from (select {{ country_named('part') }} as country from regexp_split_to_table(written, ' *[-–/(),;] *') as part) as parts)
    end) end
 from (select {{ text(value) }} as written offset 0) as country) {{ forms_version() }}
{%- endmacro -%}
