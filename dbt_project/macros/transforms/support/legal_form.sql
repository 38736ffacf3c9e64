{#- The legal form at the end of a company's name as it is written there, with the blank before it; '' when there is none. -#}
{%- macro legal_form(name) -%}
{%- set company = 'sp[óo][łl]ka' -%}
{%- set limited = '(?:sp\\.?|' ~ company ~ ') ?z ?(?:o\\.? ?o\\.?|ogr(?:\\.|aniczon[ąa]) ?odp(?:\\.|owiedzialno[śs]ci[ąa]))' -%}
{%- set partnership = 'sp\\.? ?k\\.?|' ~ company ~ ' komandytowa|s\\. ?k\\. ?a\\.?|ska|' ~ company ~ ' komandytowo ?- ?akcyjna' -%}
{%- set others = 'p\\. ?s\\. ?a\\.?|psa|prosta ' ~ company ~ ' akcyjna|s\\. ?a\\.?|sa|' ~ company ~ ' akcyjna|sp\\.? ?[jp]\\.?|'
    ~ company ~ ' (?:jawna|partnerska|cywilna)|s\\. ?c\\.?' -%}
coalesce(substring({{ name }} from '(?i)([ ,]+(?:{{ limited }}(?:[ ,]+(?:{{ partnership }}))?|{{ partnership }}|{{ others }}))$'), '')
{%- endmacro -%}

{#- A legal form in its uniform spelling, with a blank before it. -#}
{%- macro legal_form_spelled(written) -%}
{%- set limited = ['SPZOO', 'SPOLKAZOO', 'SPZOGRODP', 'SPOLKAZOGRODP', 'SPZOGRANICZONAODPOWIEDZIALNOSCIA',
    'SPOLKAZOGRANICZONAODPOWIEDZIALNOSCIA'] -%}
{%- set partnerships = {'SPK': 'Sp. k.', 'SPOLKAKOMANDYTOWA': 'Sp. k.', 'SKA': 'S.K.A.', 'SPOLKAKOMANDYTOWOAKCYJNA': 'S.K.A.'} -%}
{%- set others = {'PSA': 'P.S.A.', 'PROSTASPOLKAAKCYJNA': 'P.S.A.', 'SA': 'S.A.', 'SPOLKAAKCYJNA': 'S.A.', 'SPJ': 'Sp. j.',
    'SPOLKAJAWNA': 'Sp. j.', 'SPP': 'Sp. p.', 'SPOLKAPARTNERSKA': 'Sp. p.', 'SC': 'S.C.', 'SPOLKACYWILNA': 'S.C.'} -%}
('{
{%- for form in limited %}"{{ form }}": " Sp. z o.o.", {% for other, spelled in partnerships.items() -%}
"{{ form }}{{ other }}": " Sp. z o.o. {{ spelled }}", {% endfor %}{% endfor %}
{%- for form, spelled in partnerships.items() %}"{{ form }}": " {{ spelled }}", {% endfor %}
{%- for form, spelled in others.items() %}"{{ form }}": " {{ spelled }}"{% if not loop.last %}, {% endif %}{% endfor -%}
}'::jsonb ->> translate(upper({{ written }}), 'ÓŁĄŚ ,.-', 'OLAS'))
{%- endmacro -%}
