{#- text: a country's ISO 3166-1 alpha-2 code, from the code or from the Polish or English name of the countries we deal with. -#}
{%- macro country_iso2(value) -%}
{%- set codes = (
    'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY' ~ ' ' ~
    'BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK' ~ ' ' ~
    'FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR' ~ ' ' ~
    'IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK' ~ ' ' ~
    'ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM' ~ ' ' ~
    'PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF' ~ ' ' ~
    'TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW').split(' ') -%}
{%- set names = {
    'POLSKA': 'PL', 'POLAND': 'PL', 'POL': 'PL', 'RZECZPOSPOLITA POLSKA': 'PL', 'REPUBLIC OF POLAND': 'PL', 'PL - POLSKA': 'PL',
    'NIEMCY': 'DE', 'GERMANY': 'DE', 'DEU': 'DE', 'DEUTSCHLAND': 'DE',
    'CZECHY': 'CZ', 'REPUBLIKA CZESKA': 'CZ', 'CZECHIA': 'CZ', 'CZECH REPUBLIC': 'CZ', 'CZE': 'CZ',
    'SŁOWACJA': 'SK', 'SLOVAKIA': 'SK', 'SVK': 'SK',
    'UKRAINA': 'UA', 'UKRAINE': 'UA', 'UKR': 'UA',
    'LITWA': 'LT', 'LITHUANIA': 'LT', 'LTU': 'LT',
    'ŁOTWA': 'LV', 'LATVIA': 'LV', 'LVA': 'LV',
    'ESTONIA': 'EE', 'EST': 'EE',
    'BIAŁORUŚ': 'BY', 'BELARUS': 'BY', 'BLR': 'BY',
    'ROSJA': 'RU', 'RUSSIA': 'RU', 'RUS': 'RU',
    'AUSTRIA': 'AT', 'AUT': 'AT',
    'BELGIA': 'BE', 'BELGIUM': 'BE', 'BEL': 'BE',
    'BUŁGARIA': 'BG', 'BULGARIA': 'BG', 'BGR': 'BG',
    'CHORWACJA': 'HR', 'CROATIA': 'HR', 'HRV': 'HR',
    'CYPR': 'CY', 'CYPRUS': 'CY', 'CYP': 'CY',
    'DANIA': 'DK', 'DENMARK': 'DK', 'DNK': 'DK',
    'FINLANDIA': 'FI', 'FINLAND': 'FI', 'FIN': 'FI',
    'FRANCJA': 'FR', 'FRANCE': 'FR', 'FRA': 'FR',
    'GRECJA': 'GR', 'GREECE': 'GR', 'GRC': 'GR', 'EL': 'GR',
    'HISZPANIA': 'ES', 'SPAIN': 'ES', 'ESP': 'ES',
    'HOLANDIA': 'NL', 'NIDERLANDY': 'NL', 'NETHERLANDS': 'NL', 'THE NETHERLANDS': 'NL', 'NLD': 'NL',
    'IRLANDIA': 'IE', 'IRELAND': 'IE', 'IRL': 'IE',
    'LUKSEMBURG': 'LU', 'LUXEMBOURG': 'LU', 'LUX': 'LU',
    'MALTA': 'MT', 'MLT': 'MT',
    'PORTUGALIA': 'PT', 'PORTUGAL': 'PT', 'PRT': 'PT',
    'RUMUNIA': 'RO', 'ROMANIA': 'RO', 'ROU': 'RO',
    'SŁOWENIA': 'SI', 'SLOVENIA': 'SI', 'SVN': 'SI',
    'SZWECJA': 'SE', 'SWEDEN': 'SE', 'SWE': 'SE',
    'WĘGRY': 'HU', 'HUNGARY': 'HU', 'HUN': 'HU',
    'WŁOCHY': 'IT', 'ITALY': 'IT', 'ITA': 'IT',
    'WIELKA BRYTANIA': 'GB', 'UNITED KINGDOM': 'GB', 'GREAT BRITAIN': 'GB', 'GBR': 'GB', 'UK': 'GB',
    'SZWAJCARIA': 'CH', 'SWITZERLAND': 'CH', 'CHE': 'CH',
    'NORWEGIA': 'NO', 'NORWAY': 'NO', 'NOR': 'NO',
    'ISLANDIA': 'IS', 'ICELAND': 'IS', 'ISL': 'IS',
    'LIECHTENSTEIN': 'LI', 'LIE': 'LI',
    'TURCJA': 'TR', 'TURKEY': 'TR', 'TÜRKIYE': 'TR', 'TUR': 'TR',
    'STANY ZJEDNOCZONE': 'US', 'USA': 'US', 'UNITED STATES': 'US', 'UNITED STATES OF AMERICA': 'US',
    'CHINY': 'CN', 'CHINA': 'CN', 'CHN': 'CN',
    'JAPONIA': 'JP', 'JAPAN': 'JP', 'JPN': 'JP',
    'KANADA': 'CA', 'CANADA': 'CA', 'CAN': 'CA'} -%}
(select coalesce('{{ names | tojson }}'::jsonb ->> name, case when name = any ('{ {{- codes | join(',') -}} }') then name end)
 from (select upper({{ text(value) }}) as name offset 0) as country)
{%- endmacro -%}
