{#- text: what the court register holds a company for, from stanPozycji (1 is an entry in force, 2 to 4 one that was deleted) and
    dzial6 as JSON: struck_off, bankruptcy, liquidation, restructuring, suspended or active, the gravest first. A proceeding
    that says how it ended is over; the register writes an empty object for an end that has not come. -#}
{%- macro status_krs(value, division) -%}
{%- set says = '.** ? (@.type() == "string" && @ != "")' -%}
{%- set underway = '[*] ? (exists(@.** ? (@.type() == "string")) && !exists(@.keyvalue() ? (@.key like_regex "^(z|opisZ)akonczeni").value' ~ says ~ '))' -%}
{%- set restructuring = '$.keyvalue() ? (@.key like_regex "^postepowanie(Restrukturyzacyjne|Ukladowe|Naprawcze)").value' ~ underway -%}
(select case
    when state in ('2', '3', '4') then 'struck_off'
    when state <> '1' or coalesce(state, d::text) is null then null
    when d @? '$.postepowanieUpadlosciowe{{ underway }}' then 'bankruptcy'
    when d @? '$.likwidacja{{ underway }}' or d @? '$.rozwiazanieUniewaznienie{{ says }}'
        or d @? '{{ restructuring }}.**.rodzajPostepowania ? (@ like_regex "LIKWIDAC")' then 'liquidation'
    when d @? '{{ restructuring }}' then 'restructuring'
    when d @? '$.zawieszenieWznowienie[*] ? (exists(@.dataZawieszenia{{ says }}) && !exists(@.dataWznowienia{{ says }}))'
    then 'suspended'
    else 'active' end
 from (select {{ text(value) }} as state, case when pg_input_is_valid({{ division }}, 'jsonb') then ({{ division }})::jsonb end as d
       offset 0) as entry)
{%- endmacro -%}
