{#- text: street and number ('Młynarska 42A/5'), from three fields or from one text that holds all. 'ul.' is dropped, 'al.',
    'pl.' and 'os.' are spelled one way; a place without streets has only its number. The flat follows a slash, or 'm.' when
    the house's number has a slash itself ('Krucza 16/22 m. 4'). An address in another country stays as it is written. -#}
{%- macro street(value, house="null::text", flat="null::text", country="null::text") -%}
{%- set kind = "'(?i)^((?:ulica|ul|aleja|aleje|al|plac|pl|osiedle|os)\\M\\.? *)'" -%}
{%- set word = "'(?i)^(?:nr|numer|m|lok|lokal)\\M\\.?'" -%}
{%- set kinds = '{"aleja": "Al. ", "aleje": "Al. ", "al": "Al. ", "plac": "Pl. ", "pl": "Pl. ", "osiedle": "Os. ", "os": "Os. "}' -%}
(select case when coalesce(land, 'PL') <> 'PL' then nullif(concat_ws(' ', whole, {{ text(house) }}, {{ text(flat) }}), '') else (
    select nullif(concat_ws(' ', street,
        case when length(number) - length(replace(number, '/', '')) = 2 then regexp_replace(number, '/([^/]+)$', ' m. \1') else number end), '')
    from (select
            nullif(btrim(coalesce('{{ kinds }}'::jsonb ->> lower(btrim(kind, ' .')), '')
                || btrim(substr(line, length(kind) + 1, greatest(length(line) - length(kind) - length(number), 0)), ' ,')), '') as street,
            upper(nullif(concat_ws('/', nullif(replace(number, ' ', ''), ''), house, flat), '')) as number
          from (select line,
                coalesce(substring(line from {{ kind }}), '') as kind,
                coalesce(substring(line from '((?:^| )[0-9]+ ?[[:alpha:]]?(?:[/-][[:alpha:]]?[0-9]+[[:alpha:]]?)*)$'), '') as number,
                replace(regexp_replace({{ text(house) }}, {{ word }}, ''), ' ', '') as house,
                replace(regexp_replace({{ text(flat) }}, {{ word }}, ''), ' ', '') as flat
               from (select coalesce(regexp_replace(replace(replace(whole, ' /', '/'), '/ ', '/'),
                    '(?i)([0-9](?: ?[[:alpha:]])?),? *(?:/|\m(?:m|lok|lokal|mieszkanie)\M\.?) *([[:alpha:]]?[0-9]+[[:alpha:]]?)$', '\1/\2'), '') as line
                    offset 0) as uniform offset 0) as parts offset 0) as joined) end
 from (select {{ titled(text(value)) }} as whole, {{ country_or_home(country) }} as land offset 0) as street)
{%- endmacro -%}
