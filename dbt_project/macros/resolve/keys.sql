{# Keys for probabilistic matching: what remains of a name or an address when its spelling is taken away. #}

{% macro folded(value) -%}
{#- Letters and digits only, capitals, without accents. Polish ł and its kin do not decompose, so they are named;
    the collation of the database does not matter, because upper() only meets ASCII. The usual separators go first: then
    the regular expression seldom finds anything, which is a third of the work. -#}
regexp_replace(translate(upper(replace(replace(translate(normalize({{ value }}, NFKD), 'łŁøØđĐ', 'lLoOdD'), 'ß', 'SS'), 'æ', 'AE')), ' .,-/"', ''), '[^A-Z0-9]+', '', 'g')
{%- endmacro %}

{% macro name_is_truncated(name) -%}
{#- SAP's name fields hold 40 characters; a blank may have stood at the cut. -#}
coalesce(length({{ name }}) between 39 and 40, false)
{%- endmacro %}

{% macro name_key(name) -%}
{#- The folded name, its legal form in its shortest spelling. Blanks are gone, so "Sp. z o.o." and "SP Z OO" already agree;
    the longer form is replaced first. A truncated name loses what is left of a legal form at its end. -#}
{%- set forms = [
    ('SPOLKAZOGRANICZONAODPOWIEDZIALNOSCIA', 'SPZOO'),
    ('SPOLKAZOGRODPOWIEDZIALNOSCIA', 'SPZOO'),
    ('SPOLKAZOGRODP', 'SPZOO'),
    ('SPOLKAZOO', 'SPZOO'),
    ('PROSTASPOLKAAKCYJNA', 'PSA'),
    ('SPOLKAKOMANDYTOWOAKCYJNA', 'SKA'),
    ('SPOLKAAKCYJNA', 'SA'),
    ('SPOLKAKOMANDYTOWA', 'SPK'),
    ('SPOLKAJAWNA', 'SPJ'),
    ('SPOLKAPARTNERSKA', 'SPP'),
    ('SPOLKACYWILNA', 'SC'),
] -%}
{%- set key = namespace(sql=folded(name)) -%}
{%- for long, short in forms -%}
{%- set key.sql = "replace(" ~ key.sql ~ ", '" ~ long ~ "', '" ~ short ~ "')" -%}
{%- endfor -%}
case when {{ name_is_truncated(name) }} then regexp_replace({{ key.sql }}, '(SPOLKA[A-Z]*|SPOLK|SPOL|SPO|SPZO?|SP|S)$', '') else {{ key.sql }} end
{%- endmacro %}

{% macro address_key(part) -%}
{#- A street without the word for street, a postal code without its dash; '' when there is nothing. -#}
coalesce({{ folded("regexp_replace(" ~ part ~ ", '^\\s*(ulica|ul|aleja|aleje|al|plac|pl|osiedle|os)(\\.\\s*|\\s+)', '', 'i')") }}, '')
{%- endmacro %}
