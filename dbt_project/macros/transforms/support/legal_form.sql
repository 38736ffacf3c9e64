{#- The words of a company's name with which its legal form begins and ends it; '' when there is none. `words` is an array of
    text. The words from each that may begin a form on are looked up as one: one large regular expression that knows every
    spelling takes ten times as long. A bare letter begins none: 'Grupa S A' is a name. -#}
{%- macro legal_form(words) -%}
coalesce((select array_to_string({{ words }}[place:], ' ') from generate_series(2, cardinality({{ words }})) as place
    where lower(left({{ words }}[place], 1)) in ('s', 'p') and length({{ words }}[place]) > 1
        and {{ legal_form_spelled("array_to_string(" ~ words ~ "[place:], '')") }} is not null
    order by place limit 1), '')
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
