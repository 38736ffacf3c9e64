{#- text: the name as a person would write it, from one field or two that continue each other. Blanks and quotation marks are
    made uniform, and legal forms are spelled one way wherever they stand ('Sp. z o.o.', 'S.A.', 'GmbH'), with what follows
    them kept. Registers write all in capitals; since they are trusted first, such a name is put into the usual spelling, so
    that the golden name reads well. A name in capitals and small letters keeps its spelling: somebody chose it (Mcdonald'S was a program's). -#}
{%- macro company_name(value, more="null::text") -%}
(select string_agg(case when form is not null then quoted_form when chosen and (word = upper(word) or right(word, 2) not in ('''S', '’S')) then word
        when place = 1 then {{ name_cased('upper(word)', true) }} else {{ name_cased('upper(word)', false) }} end, ' ' order by place)
 from (select whole, whole <> upper(whole) and whole <> lower(whole) as chosen
       from (select translate({{ text("concat_ws(' ', " ~ value ~ ", " ~ more ~ ")") }}, '„”“‟«»', '""""""') as whole offset 0) as uniform
       offset 0) as named
 cross join lateral {{ name_words('whole', 'chosen') }} as words)
{%- endmacro -%}
