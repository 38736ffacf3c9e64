{#- text: street and number ('Młynarska 42A/5'), from three fields or from one text that holds all. 'ul.' is dropped, 'al.',
    'pl.' and 'os.' are spelled one way; a place without streets has only its number. -#}
{%- macro street(value, house="null::text", flat="null::text") -%}
(select nullif(concat_ws(' ',
    nullif(btrim(left(line, length(line) - length(coalesce(number, ''))), ' ,'), ''),
    upper(nullif(concat_ws('/', nullif(regexp_replace(number, '\s', '', 'g'), ''), house, flat), ''))), '')
 from (select line, substring(line from '(?:^|\s)([0-9]+ ?[[:alpha:]]?(?:[/-][0-9]+[[:alpha:]]?)*)$') as number,
        regexp_replace({{ text(house) }}, '^(nr|numer)\M\.?|\s', '', 'gi') as house,
        regexp_replace({{ text(flat) }}, '^(m|lok|lokal)\M\.?|\s', '', 'gi') as flat
       from (select regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            {{ titled(text(value)) }},
            '^(ulica\M|ul\M\.?)\s*', '', 'i'),
            '^(aleja|aleje|al)\M\.?\s*', 'Al. ', 'i'),
            '^(plac|pl)\M\.?\s*', 'Pl. ', 'i'),
            '^(osiedle|os)\M\.?\s*', 'Os. ', 'i'),
            '([0-9] ?[[:alpha:]]?)\s*(?:/|\m(?:m|lok|lokal|mieszkanie)\M\.?)\s*([0-9]+[[:alpha:]]?)$', '\1/\2', 'i') as line
            offset 0) as uniform
       offset 0) as street)
{%- endmacro -%}
