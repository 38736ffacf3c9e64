{#- A text all in capitals (or all in small letters) in the usual spelling: each word capitalised; words that only join
    stay small, Roman numerals, short words without vowels and the customary business acronyms stay capital.
    A text with both kinds of letters is left as it is: somebody chose that spelling. -#}
{%- macro titled(value) -%}
(select case when whole <> upper(whole) and whole <> lower(whole) then whole else (
    select string_agg(case
        when place > 1 and word in
            ('I', 'W', 'WE', 'Z', 'ZE', 'NA', 'NAD', 'POD', 'PRZY', 'DLA', 'DO', 'OD', 'O', 'ORAZ', 'K.', 'IM.',
             'AM', 'AN', 'DER', 'DE', 'DU', 'SUR', 'UPON')  then lower(word)
        when translate(word, 'IVX', '') = '' then word
        when length(word) <= 5 and translate(word, 'AEIOUYĄĘÓ.', '') = word then word
        when word in ('PPHU', 'PHU', 'PPUH', 'PUH', 'FHU', 'FUH', 'AGD', 'OZE', 'IT', 'PKO', 'PZU') then word
        else initcap(word) end, ' ' order by place)
    from string_to_table(upper(whole), ' ') with ordinality as words (word, place)) end
 from (select {{ value }} as whole offset 0) as titled)
{%- endmacro -%}
