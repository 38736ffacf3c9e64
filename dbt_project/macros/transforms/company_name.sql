{#- text: the name as a person would write it, from one field or two that continue each other. Blanks and quotation marks
    are made uniform, and the legal form at the end is spelled one way ('Sp. z o.o.', 'S.A.'). Registers write all in
    capitals; since they are trusted first, such a name is put into the usual spelling, so that the golden name reads
    well and differs from the CRM's spelling only where the name differs. -#}
{%- macro company_name(value, more="null::text") -%}
(select {{ titled("rtrim(left(whole, length(whole) - length(form)), ' ,')") }} || coalesce({{ legal_form_spelled("form") }}, '')
 from (select whole, {{ legal_form("words") }} as form
       from (select whole, string_to_array(replace(whole, ',', ' '), ' ') as words
             from (select translate({{ text("concat_ws(' ', " ~ value ~ ", " ~ more ~ ")") }}, '„”“‟«»', '""""""') as whole offset 0) as uniform
             offset 0) as named
       offset 0) as company_name)
{%- endmacro -%}
