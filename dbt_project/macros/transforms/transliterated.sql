{#- text: in ASCII, for systems with small character sets: Polish and other Latin letters lose their marks, ß is ss, æ is ae. What
    has no such letter is not understood. -#}
{%- macro transliterated(value) -%}
(select case when plain ~ '^[ -~]+$' then plain end
 from (select regexp_replace(normalize(replace(replace(replace(replace(replace(replace(translate({{ text(value) }},
        'łŁđĐøØıŧŦħĦ„”“‘’–—', 'lLdDoOitThH"""''''--'), 'ß', 'ss'), 'æ', 'ae'), 'Æ', 'AE'), 'œ', 'oe'), 'Œ', 'OE'), 'þ', 'th'), NFD),
        '[\u0300-\u036f]', '', 'g') as plain offset 0) as transliterated)
{%- endmacro -%}
