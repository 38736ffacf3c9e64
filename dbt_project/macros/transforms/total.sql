{#- numeric: the sum of several fields, a missing one counted as nothing; NULL when all are missing or one is no number. -#}
{%- macro total(value) -%}
(select case when given > 0 and given = understood then sum end
 from (select count({{ text('part') }}) as given, count(number) as understood, sum(number) as sum
       from (select part, {{ numeric('part') }} as number
             from unnest(array[{{ value }}{% for part in varargs %}, {{ part }}{% endfor %}]::text[]) as part) as parts) as total)
{%- endmacro -%}
