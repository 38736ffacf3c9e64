{#- text: why a person is a beneficial owner, from CRBR's ListaInformacjiOUdzialach as JSON: direct_rights, indirect_rights,
    senior_manager and other_rights, those that apply, in this order with blanks between them. Who is named for an office
    (the law's owner where no other can be told) is a senior manager. -#}
{%- macro ownership_reasons(value) -%}
{%- set office = '(kierownicz|zarząd|dyrektor|prezes)' -%}
(select nullif(concat_ws(' ',
    case when d @? '$[*].UprawnieniaWlascicielskieBezposrednie.Ilosc' then 'direct_rights' end,
    case when d @? '$[*].UprawnieniaWlascicielskiePosrednie ? (@ != "")' then 'indirect_rights' end,
    case when d @? '$[*].InneUprawnienia.** ? (@.type() == "string" && @ like_regex "{{ office }}" flag "i")' then 'senior_manager' end,
    case when d @? '$[*].InneUprawnienia.RodzajInnychUprawnien.Opis ? (!(@ like_regex "{{ office }}" flag "i"))' then 'other_rights' end
    ), '')
 from (select case when pg_input_is_valid({{ value }}, 'jsonb') then ({{ value }})::jsonb end as d offset 0) as rights)
{%- endmacro -%}
