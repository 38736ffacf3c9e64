{#- text: a telephone number as E.164 (+48221234567). Nine digits are Polish; other countries need + or 00. An extension is
    dropped, since E.164 has none. -#}
{%- macro phone_e164(value) -%}
(select case
    when number ~ '^(\+?48)?0?[1-9][0-9]{8}$' then '+48' || right(number, 9)
    when left(number, 3) <> '+48' and number ~ '^\+[1-9][0-9]{7,14}$' then number end
 from (select case when left(dialled, 2) = '00' then '+' || substr(dialled, 3) else dialled end as number
       from (select {{ compacted("regexp_replace(lower(" ~ value ~ "), '^\\s*(tel|telefon|kom|fax|phone)\\M|\\(0\\)|\\s*(wew|ext|w)\\M\\.?\\s*[0-9]+\\s*$', '', 'g')") }} as dialled
             offset 0) as compacted
       offset 0) as phone)
{%- endmacro -%}
