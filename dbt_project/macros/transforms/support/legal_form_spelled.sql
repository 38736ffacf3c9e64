{#- A company's name with the legal form at its end spelled one way. `name` has single blanks and no blanks around it. -#}
{%- macro legal_form_spelled(name) -%}
{%- set forms = [
    ('P.S.A.', 'p\\. ?s\\. ?a\\.?|psa|prosta sp[óo][łl]ka akcyjna'),
    ('S.K.A.', 's\\. ?k\\. ?a\\.?|ska|sp[óo][łl]ka komandytowo ?- ?akcyjna'),
    ('S.A.', 's\\. ?a\\.?|sa|sp[óo][łl]ka akcyjna'),
    ('Sp. k.', 'sp\\.? ?k\\.?|sp[óo][łl]ka komandytowa'),
    ('Sp. j.', 'sp\\.? ?j\\.?|sp[óo][łl]ka jawna'),
    ('Sp. p.', 'sp\\.? ?p\\.?|sp[óo][łl]ka partnerska'),
    ('S.C.', 's\\. ?c\\.?|sp[óo][łl]ka cywilna')] -%}
{%- set spelled = namespace(sql=name) -%}
{%- for spelling, pattern in forms -%}
{%- set spelled.sql = "regexp_replace(" ~ spelled.sql ~ ", '[ ,]+(" ~ pattern ~ ")$', ' " ~ spelling ~ "', 'i')" -%}
{%- endfor -%}
regexp_replace({{ spelled.sql }}, '[ ,]+(sp\.?|sp[óo][łl]ka) ?z ?(o\.? ?o\.?|ogr(\.|aniczon[ąa]) ?odp(\.|owiedzialno[śs]ci[ąa]))(?=$| (Sp\. k\.|S\.K\.A\.)$)', ' Sp. z o.o.', 'i')
{%- endmacro -%}
