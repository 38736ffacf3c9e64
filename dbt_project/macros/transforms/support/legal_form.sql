{#- Legal forms as they are written (capitals, without dots, blanks and accents) and their uniform spelling. `sure` are forms
    wherever they stand in a name. `short` are letters that may be a part of a name too: they are a form at its end, or before
    a word such as 'w likwidacji' or 'Oddział'. Sources: the Polish code of companies; ISO 20275 (ELF) for the others. -#}
{%- macro legal_forms(which) -%}
{%- set limited = ['SPZOO', 'SPOLKAZOO', 'SPZOGRODP', 'SPOLKAZOGRODP', 'SPZOGRANICZONAODPOWIEDZIALNOSCIA',
    'SPOLKAZOGRANICZONAODPOWIEDZIALNOSCIA', 'SPOLKAZOGRODPOWIEDZIALNOSCIA'] -%}
{%- set partnerships = {'SPK': 'Sp. k.', 'SPOLKAKOMANDYTOWA': 'Sp. k.', 'SPKOMANDYTOWA': 'Sp. k.', 'SKA': 'S.K.A.',
    'SPOLKAKOMANDYTOWOAKCYJNA': 'S.K.A.', 'SPJ': 'Sp. j.', 'SPOLKAJAWNA': 'Sp. j.', 'SPJAWNA': 'Sp. j.'} -%}
{%- set sure = {'PROSTASPOLKAAKCYJNA': 'P.S.A.', 'SPOLKAAKCYJNA': 'S.A.', 'SPP': 'Sp. p.', 'SPOLKAPARTNERSKA': 'Sp. p.',
    'SPOLKACYWILNA': 'S.C.', 'SPOLKAEUROPEJSKA': 'SE',
    'GMBH': 'GmbH', 'GESMBH': 'GmbH', 'GESELLSCHAFTMITBESCHRANKTERHAFTUNG': 'GmbH', 'GMBH&COKG': 'GmbH & Co. KG',
    'GMBHUNDCOKG': 'GmbH & Co. KG', 'GMBHUCOKG': 'GmbH & Co. KG', 'GMBHCOKG': 'GmbH & Co. KG', 'AG&COKG': 'AG & Co. KG', 'GMBH&COKGAA': 'GmbH & Co. KGaA', 'KGAA': 'KGaA',
    'AKTIENGESELLSCHAFT': 'AG', 'UGHAFTUNGSBESCHRANKT': 'UG (haftungsbeschränkt)', 'UG(HAFTUNGSBESCHRANKT)': 'UG (haftungsbeschränkt)',
    'GGMBH': 'gGmbH', 'GBR': 'GbR', 'PARTGMBB': 'PartG mbB', 'VOF': 'VOF', 'SCRL': 'SCRL', 'SRLS': 'S.r.l.s.', 'SAU': 'S.A.U.', 'SHPK': 'Sh.p.k.',
    'OHG': 'OHG', 'SARL': 'SARL', 'SASU': 'SASU', 'EURL': 'EURL', 'SOCIETEANONYME': 'S.A.',
    'SOCIETEPARACTIONSSIMPLIFIEE': 'SAS', 'SOCIETEARESPONSABILITELIMITEE': 'SARL', 'SPRL': 'SPRL', 'BVBA': 'BVBA',
    'BESLOTENVENNOOTSCHAP': 'B.V.', 'NAAMLOZEVENNOOTSCHAP': 'N.V.', 'SRO': 's.r.o.', 'SPOLSRO': 'spol. s r.o.',
    'AKCIOVASPOLECNOST': 'a.s.', 'KFT': 'Kft.', 'ZRT': 'Zrt.', 'NYRT': 'Nyrt.', 'KORLATOLTFELELOSSEGUTARSASAG': 'Kft.',
    'UAB': 'UAB', 'SIA': 'SIA', 'OYJ': 'Oyj', 'OSAKEYHTIO': 'Oy', 'APS': 'ApS', 'ANPARTSSELSKAB': 'ApS', 'AKTIESELSKAB': 'A/S', 'A/S': 'A/S',
    'AKTIEBOLAG': 'AB', 'SOCIETAPERAZIONI': 'S.p.A.', 'SOCIETAARESPONSABILITALIMITATA': 'S.r.l.', 'SOCIEDADANONIMA': 'S.A.',
    'SOCIEDADLIMITADA': 'S.L.', 'LTD': 'Ltd', 'LIMITED': 'Ltd', 'COLTD': 'Co. Ltd', 'LLC': 'LLC', 'LLP': 'LLP', 'PLC': 'PLC',
    'PUBLICLIMITEDCOMPANY': 'PLC', 'INCORPORATED': 'Inc.', 'CORPORATION': 'Corp.', 'PTYLTD': 'Pty Ltd', 'PTELTD': 'Pte Ltd', 'PVTLTD': 'Pvt Ltd',
    'GMBH&CO': 'GmbH & Co.', 'DOO': 'd.o.o.', 'EOOD': 'EOOD', 'OOD': 'OOD', 'LTDA': 'Ltda.', 'EIRL': 'E.I.R.L.', 'ASA': 'ASA',
    'ТОВ': 'ТОВ', 'ПП': 'ПП', 'ФОП': 'ФОП', 'АТ': 'АТ', 'ПАТ': 'ПАТ', 'ПРАТ': 'ПрАТ', 'ООО': 'ООО', 'ИП': 'ИП', 'АО': 'АО', 'ОАО': 'ОАО',
    'ЗАО': 'ЗАО', 'ПАО': 'ПАО', 'ЕООД': 'ЕООД', 'ООД': 'ООД', 'АД': 'АД', 'ΑΕ': 'Α.Ε.', 'ΕΠΕ': 'Ε.Π.Ε.', 'ΙΚΕ': 'Ι.Κ.Ε.',
    'INLIQUIDATION': 'in liquidation', 'INLIQUIDAZIONE': 'in liquidazione', 'INLIQUIDATIE': 'in liquidatie',
    'ENLIQUIDATION': 'en liquidation', 'ENLIQUIDACION': 'en liquidación', 'VLIKVIDACI': 'v likvidaci', 'VLIKVIDACII': 'v likvidácii'} -%}
{%- for state in ('w likwidacji', 'w upadłości', 'w upadłości likwidacyjnej', 'w upadłości układowej', 'w restrukturyzacji',
    'w organizacji', 'w zawieszeniu') -%}
{%- set key = state | upper | replace('Ł', 'L') | replace('Ś', 'S') | replace('Ó', 'O') | replace('Ć', 'C') | replace(' ', '') -%}
{%- set _ = sure.update({key: state, '(' ~ key ~ ')': state}) -%}
{%- endfor -%}
{%- set short = {'PSA': 'P.S.A.', 'SJ': 'Sp. j.', 'SA': 'S.A.', 'SC': 'S.C.', 'SE': 'SE', 'AG': 'AG', 'KG': 'KG', 'UG': 'UG', 'EK': 'e.K.', 'EV': 'e.V.',
    'SAS': 'SAS', 'SNC': 'SNC', 'BV': 'B.V.', 'NV': 'N.V.', 'AS': 'a.s.', 'KS': 'k.s.', 'VOS': 'v.o.s.', 'BT': 'Bt.', 'AB': 'AB', 'OU': 'OÜ', 'OY': 'Oy',
    'SPA': 'S.p.A.', 'SRL': 'S.r.l.', 'SL': 'S.L.', 'SLU': 'S.L.U.', 'LDA': 'Lda.', 'INC': 'Inc.', 'CORP': 'Corp.', 'DD': 'd.d.', 'AD': 'AD', 'LP': 'LP'} -%}
{%- if which == 'sure' -%}
'{ {%- for form in limited %}"{{ form }}": "Sp. z o.o.", {% for other, spelled in partnerships.items() -%}
"{{ form }}{{ other }}": "Sp. z o.o. {{ spelled }}", {% endfor %}{% endfor %}
{%- for form, spelled in partnerships.items() %}"{{ form }}": "{{ spelled }}", {% endfor %}
{%- for form, spelled in sure.items() %}"{{ form }}": "{{ spelled }}"{% if not loop.last %}, {% endif %}{% endfor -%} }'::jsonb
{%- elif which == 'short' -%}
'{{ short | tojson }}'::jsonb
{%- else -%}
{#- The words with which a form begins. -#}
{%- set begin = ['SP', 'SPZ', 'SPOLKA', 'SPOL', 'PROSTA', 'GESELLSCHAFT', 'SOCIETE', 'SOCIETA', 'SOCIEDAD', 'BESLOTEN', 'NAAMLOZE', 'AKCIOVA',
    'KORLATOLT', 'PUBLIC', 'PTY', 'PTE', 'PVT', 'CO', 'W', '(W', 'IN', 'EN', 'V', 'S', 'P', 'D', 'B', 'N', 'K', 'A', 'L', 'G', 'V', 'E', 'I'] -%}
'{ {%- for word in begin + (sure | list) + (short | list) + limited + (partnerships | list) %}"{{ word }}": 1{% if not loop.last %}, {% endif %}{% endfor -%} }'::jsonb
{%- endif -%}
{%- endmacro -%}

{#- A written form without what is spelled in several ways ('S-ka' is short for 'Spółka'). -#}
{%- macro legal_form_key(written) -%}
translate(replace(upper({{ written }}), 'S-KA', 'SPOLKA'), 'ÓŁĄŚÄÖÜÉÀÕŐÍČ+ .,-"', 'OLASAOUEAOOIC&')
{%- endmacro -%}

{#- The words of a name (a row each: place, word, last, form), without those inside of a legal form; `form` is the form that
    begins at the place, in its uniform spelling. A form at the beginning counts when something follows it. -#}
{%- macro name_words(whole, chosen) -%}
(select place, form, opens || form || closes as quoted_form, case when lead(form) over (order by place) is not null then rtrim(word, ',') else word end as word
 from (select *, max(place + length) over (order by place rows between unbounded preceding and 1 preceding) as covered_to
       from (select words.place, words.word, cardinality(list) as total, found.form, found.length,
                    case when left(words.word, 1) = '"' then '"' else '' end as opens,
                    case when right(list[words.place + found.length - 1], 1) = '"' then '"' else '' end as closes
             from (select string_to_array({{ whole }}, ' ') as list offset 0) as split
             cross join lateral unnest(list) with ordinality as words (word, place)
             left join lateral (
                select length, form
                from (select length, coalesce({{ legal_forms('sure') }} ->> key,
                        case when (words.place + length > cardinality(list)
                                or {{ legal_form_key('list[words.place + length]') }} in ('W', '(W', 'V', 'EN', 'ODDZIAL', 'SPOLKA', 'SP', '&', 'IN', 'BRANCH', 'ORGANIZACNI'))
                            and words.place > 1 and position('"' in words.word) = 0
                            and (position('.' in words.word) > 0 or length = 1 and (not {{ chosen }} or words.word = upper(words.word)
                                or words.word in ('sa', 'ag', 'bv', 'nv', 'oy', 'kg', 'inc', 'corp')))
                        then case when key = 'AS' and position('.' in words.word) = 0 then 'AS' else {{ legal_forms('short') }} ->> key end end) as form
                      from generate_series(case when {{ legal_forms('begin') }} ? {{ legal_form_key('words.word') }}
                            and (length(words.word) > 1 or words.word in ('W', 'w', 'V', 'v'))
                        then least(8, cardinality(list) - words.place + 1)::int else 0 end, 1, -1) as length
                      cross join lateral (
                        select {{ legal_form_key("array_to_string(list[words.place:words.place + length - 1], '')") }} as key offset 0) as keyed
                ) as spelled
                where form is not null
                limit 1) as found on true
       ) as looked_up) as spans
 where (covered_to is null or place >= covered_to) and word <> ',')
{%- endmacro -%}
