-- Companies: unique numbers with right check digits, names, addresses.
create unlogged table landing.company as
with word as (
    select array['Pol','Trans','Bud','Eko','Agro','Met','Drew','Inter','Euro','Elektro','Hydro','Termo','Auto','Info',
            'Med','Chem','Gaz','Wod','Mar','Sław','Śląsk','Bałt','Karpat','Żubr'] as starts
        , array['pol','bud','trans','mex','tex','stal','lux','plast','dom','serwis','system','net','med','hurt','mar',
            'war','kop','tech','rol','drób'] as ends
        , array['Budownictwo','Logistyka','Transport','Spedycja','Produkcja','Handel','Usługi','Inżynieria','Energia',
            'Oświetlenie','Opakowania','Meble','Konstrukcje','Instalacje','Żywność','Nieruchomości','Finanse',
            'Doradztwo','Szkolenia','Technologie','Laboratoria','Farby','Narzędzia','Części','Ogrody','Wnętrza','Druk',
            'Odzież','Zdrowie'] as trades
        , array['Marszałkowska','Puławska','Jana Pawła II','Piłsudskiego','Mickiewicza','Słowackiego','Długa','Krótka',
            'Polna','Leśna','Ogrodowa','Lipowa','Łąkowa','Przemysłowa','Fabryczna','Spółdzielcza','Rzemieślnicza',
            'Kościuszki','Żeromskiego','Grunwaldzka','3 Maja','Armii Krajowej','Powstańców Śląskich','Gdańska',
            'Źródlana','Świętokrzyska','Wiśniowa'] as streets
        , array['Warszawa','Kraków','Łódź','Wrocław','Poznań','Gdańsk','Szczecin','Bydgoszcz','Toruń','Lublin',
            'Białystok','Katowice','Częstochowa','Bielsko-Biała','Rzeszów','Kielce','Opole','Zielona Góra'] as cities
),
number as (
    select n, 10000000 + n * 97::bigint % 89999999 as tax, 10000000 + n * 89::bigint % 89999999 as regon
    from generate_series(1, {rows}) as n
),
checked as (
    select n, tax, regon
        , (6 * (tax / 10000000) + 5 * (tax / 1000000 % 10) + 7 * (tax / 100000 % 10) + 2 * (tax / 10000 % 10)
            + 3 * (tax / 1000 % 10) + 4 * (tax / 100 % 10) + 5 * (tax / 10 % 10) + 6 * (tax % 10)) % 11 as tax_rest
        , (8 * (regon / 10000000) + 9 * (regon / 1000000 % 10) + 2 * (regon / 100000 % 10) + 3 * (regon / 10000 % 10)
            + 4 * (regon / 1000 % 10) + 5 * (regon / 100 % 10) + 6 * (regon / 10 % 10) + 7 * (regon % 10)) % 11 % 10
            as regon_check
    from number
),
company as (
    select n
        -- A rest of ten has no digit; another ninth digit, of weight 7, makes it six.
        , tax || case when tax_rest = 10 then '16' else '0' || tax_rest end as tax_id
        , regon || '' || regon_check as regon
        , lpad(n::text, 10, '0') as krs
        , starts[n % 24 + 1] || ends[n / 24 % 20 + 1]
            || case when n < 13920 then '' else translate((n / 13920)::text, '0123456789', 'bakomiteru') end
            || ' ' || trades[n / 480 % 29 + 1] as stem
        , coalesce((array['SPÓŁKA AKCYJNA', 'SPÓŁKA KOMANDYTOWA', 'SPÓŁKA JAWNA'])[n % 10 - 6],
            'SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ') as long_form
        , coalesce((array['S.A.', 'sp.k.', 'Sp. j.'])[n % 10 - 6],
            (array['Sp. z o.o.', 'sp. z o.o.', 'SP. Z O.O.', 'spółka z o.o.', 'Sp.z o.o.'])[n / 10 % 5 + 1]) as short_form
        , streets[n * 7 % 27 + 1] as street
        , (n * 13 % 180 + 1)::text as house
        , case when n % 3 = 0 then (n % 60 + 1)::text end as flat
        , lpad((n * 31 % 99 + 1)::text, 2, '0') || '-' || lpad((n * 17 % 900 + 100)::text, 3, '0') as postal_code
        , cities[n * 11 % 18 + 1] as city
        , 'biuro@firma' || n || '.example.pl' as email
        , (22 + n % 60)::text || lpad((n * 37::bigint % 10000000)::text, 7, '0') as phone
        , lpad((n % 28 + 1)::text, 2, '0') as day
    from checked, word
)
select *
    , translate(street, 'ąćęłńóśźżĄĆĘŁŃÓŚŹŻ', 'acelnoszzACELNOSZZ') as ascii_street
    , translate(city, 'ąćęłńóśźżĄĆĘŁŃÓŚŹŻ', 'acelnoszzACELNOSZZ') as ascii_city
    , translate(upper(stem || ' ' || long_form), 'ĄĆĘŁŃÓŚŹŻ', 'ACELNOSZZ') as ascii_name
from company
