{#- Letters and digits of any script, capitals, without accents: the same text in another spelling gives the same. Letters that
    do not decompose are named. `signs` are kept too. The collation is named, so that the database's own does not matter; and
    the usual separators go first: then the regular expression seldom finds anything, which is a third of the work. -#}
{%- macro folded(value, signs='') -%}
(regexp_replace(translate(upper(replace(replace(replace(replace(translate(normalize({{ value }}, NFKD),
    'łŁøØđĐıŧŦħĦ', 'lLoOdDitThH'), 'ß', 'ss'), 'æ', 'ae'), 'Æ', 'AE'), 'œ', 'oe') collate "pg_c_utf8"), ' .,-/"', ''),
    '[^[:alnum:]{{ signs }}]+', '', 'g') collate "default")
{%- endmacro -%}
