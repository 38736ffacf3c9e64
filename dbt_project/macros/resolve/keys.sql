{# Keys for probabilistic matching: what remains of a name or an address when its spelling is taken away. #}

{% macro short_key(text) -%}
{#- What records are compared by, short enough for an index, which takes 2,704 bytes: of a longer text its beginning and its hash.
    One record with a name of 5,000 letters would else keep everybody's from being published. -#}
case when octet_length({{ text }}) > 2000 then left({{ text }}, 100) || encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex')
    else {{ text }} end
{%- endmacro %}

{% macro name_is_truncated(name) -%}
{#- SAP's name fields hold 40 characters; a blank may have stood at the cut. -#}
coalesce(length({{ name }}) between 39 and 40, false)
{%- endmacro %}

{% macro name_key(name) -%}
{#- The folded name in its own script, with the signs that tell names apart (C++ and C#, A & B and AB), and its legal form in its
    shortest spelling. Blanks are gone, so "Sp. z o.o." and "SP Z OO" already agree; the longer form is replaced first. That a
    company is being wound up or founded is no part of its name. A truncated name loses what is left of a legal form at its
    end. -#}
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
    ('WUPADLOSCILIKWIDACYJNEJ', ''), ('WUPADLOSCIUKLADOWEJ', ''), ('WUPADLOSCI', ''), ('WLIKWIDACJI', ''), ('WORGANIZACJI', ''),
    ('WRESTRUKTURYZACJI', ''),
    ('GESELLSCHAFTMITBESCHRANKTERHAFTUNG', 'GMBH'), ('AKTIENGESELLSCHAFT', 'AG'), ('SPOLSRO', 'SRO'), ('AKTIEBOLAG', 'AB'),
    ('INCORPORATED', 'INC'), ('CORPORATION', 'CORP'), ('LIMITED', 'LTD'),
    ('ТОВАРИСТВОЗОБМЕЖЕНОЮВІДПОВІДАЛЬНІСТЮ', 'ТОВ'), ('ПРИВАТНЕПІДПРИЄМСТВО', 'ПП'), ('ФІЗИЧНАОСОБАПІДПРИЄМЕЦЬ', 'ФОП'),
    ('ОБЩЕСТВОСОГРАНИЧЕННОИОТВЕТСТВЕННОСТЬЮ', 'ООО'), ('ИНДИВИДУАЛЬНЫИПРЕДПРИНИМАТЕЛЬ', 'ИП'), ('АКЦИОНЕРНОЕОБЩЕСТВО', 'АО'),
    ('ДРУЖЕСТВОСОГРАНИЧЕНАОТГОВОРНОСТ', 'ООД'), ('ΑΝΩΝΥΜΗΕΤΑΙΡΕΙΑ', 'ΑΕ'), ('株式会社', '株'), ('有限会社', '有'), ('有限责任公司', '有限公司'),
] -%}
{%- set key = namespace(sql=folded(name, '&+#@')) -%}
{%- for long, short in forms -%}
{%- set key.sql = "replace(" ~ key.sql ~ ", '" ~ long ~ "', '" ~ short ~ "')" -%}
{%- endfor -%}
case when {{ name_is_truncated(name) }} then regexp_replace({{ key.sql }}, '(SPOLKA[A-Z]*|SPOLK|SPOL|SPO|SPZO?|SP|S)$', '') else {{ key.sql }} end
{%- endmacro %}

{% macro tells_apart(name_key) -%}
{#- Whether a name's key says enough to join records by it: a legal form alone does not, nor one letter beside it. -#}
length({{ name_key }}) >= 3 and length(regexp_replace({{ name_key }},
    '^(ТОВ|ФОП|ООО|ЗАО|ОАО|ПАО|ЕООД|UAB|SIA|株|有)|(SPZOO|SPK|SPJ|SPP|SKA|PSA|GMBH|SARL|SAS|SRO|KFT|LTD|LLC|INC|CORP|ТОВ|ООО|ООД)+$', '')) >= 2
{%- endmacro %}

{% macro address_key(part) -%}
{#- A street without the word for street, a postal code without its dash; '' when there is nothing. -#}
coalesce({{ folded("regexp_replace(" ~ part ~ ", '^\\s*(ulica|ul|aleja|aleje|al|plac|pl|osiedle|os)(\\.\\s*|\\s+)', '', 'i')") }}, '')
{%- endmacro %}
