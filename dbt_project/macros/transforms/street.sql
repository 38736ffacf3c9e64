{#- text: street and number ('Młynarska 42A/5'), from three fields or from one text that holds all. 'ul.' is dropped, 'al.',
    'pl.' and 'os.' are spelled one way; a place without streets has only its number. -#}
{%- macro street(value, house="null::text", flat="null::text") -%}
{%- set kind = "'(?i)^((?:ulica|ul|aleja|aleje|al|plac|pl|osiedle|os)\\M\\.? *)'" -%}
{%- set word = "'(?i)^(?:nr|numer|m|lok|lokal)\\M\\.?'" -%}
{%- set kinds = '{"aleja": "Al. ", "aleje": "Al. ", "al": "Al. ", "plac": "Pl. ", "pl": "Pl. ", "osiedle": "Os. ", "os": "Os. "}' -%}
(select nullif(concat_ws(' ',
    nullif(coalesce('{{ kinds }}'::jsonb ->> lower(btrim(kind, ' .')), '')
        || btrim(substr(line, length(kind) + 1, length(line) - length(kind) - length(number)), ' ,'), ''),
    upper(nullif(concat_ws('/', nullif(replace(number, ' ', ''), ''), house, flat), ''))), '')
 from (select line,
        coalesce(substring(line from {{ kind }}), '') as kind,
        coalesce(substring(line from '((?:^| )[0-9]+ ?[[:alpha:]]?(?:[/-][0-9]+[[:alpha:]]?)*)$'), '') as number,
        replace(regexp_replace({{ text(house) }}, {{ word }}, ''), ' ', '') as house,
        replace(regexp_replace({{ text(flat) }}, {{ word }}, ''), ' ', '') as flat
       from (select coalesce(regexp_replace({{ titled(text(value)) }},
            '(?i)([0-9] ?[[:alpha:]]?) *(?:/|\m(?:m|lok|lokal|mieszkanie)\M\.?) *([0-9]+[[:alpha:]]?)$', '\1/\2'), '') as line
            offset 0) as uniform
       offset 0) as street)
{%- endmacro -%}
