-- Extracts of the court register, all in capitals and about 2,500 bytes.
select krs as _key
    , (4 + {version})::text as _cursor
    , jsonb_build_object('odpis', jsonb_build_object(
        'rodzaj', 'Aktualny',
        'naglowekA', jsonb_build_object(
            'rejestr', 'RejP', 'numerKRS', krs, 'dataCzasOdpisu', '01.07.2026 02:00:00', 'stanZDnia', day || '.03.2026',
            'dataRejestracjiWKRS', day || '.09.2011', 'numerOstatniegoWpisu', 4 + {version},
            'dataOstatniegoWpisu', day || '.0' || (3 + {version}) || '.2026',
            'sygnaturaAktSprawyDotyczacejOstatniegoWpisu', 'WA.XII NS-REJ.KRS/' || n || '/26/4',
            'oznaczenieSaduDokonujacegoOstatniegoWpisu', 'SĄD REJONOWY DLA M. ST. WARSZAWY W WARSZAWIE, '
                'XII WYDZIAŁ GOSPODARCZY KRAJOWEGO REJESTRU SĄDOWEGO', 'stanPozycji', 1),
        'dane', jsonb_build_object(
            'dzial1', jsonb_build_object(
                'danePodmiotu', jsonb_build_object(
                    'formaPrawna', long_form, 'identyfikatory', jsonb_build_object('regon', regon || '00000', 'nip', tax_id),
                    'nazwa', upper(stem) || ' ' || long_form, 'daneOWczesniejszejRejestracji', '{{}}'::jsonb,
                    'czyProwadziDzialalnoscZInnymiPodmiotami', false, 'czyPosiadaStatusOPP', false),
                'siedzibaIAdres', jsonb_build_object(
                    'siedziba', jsonb_build_object('kraj', 'POLSKA', 'wojewodztwo', 'MAZOWIECKIE', 'powiat', upper(city),
                        'gmina', upper(city), 'miejscowosc', upper(city)),
                    'adres', jsonb_strip_nulls(jsonb_build_object('ulica', 'UL. ' || upper(street), 'nrDomu', house,
                        'nrLokalu', flat, 'miejscowosc', upper(city), 'kodPocztowy', postal_code, 'poczta', upper(city),
                        'kraj', 'POLSKA')),
                    'adresPocztyElektronicznej', case when n % 2 = 0 then upper(email) else 'BRAK' end),
                'umowaStatut', jsonb_build_object('informacjaOZawarciuZmianieUmowyStatutu', jsonb_build_array(
                    jsonb_build_object('zawarcieZmianaUmowyStatutu', day || '.08.2011, REP. A NR ' || n))),
                'pozostaleInformacje', jsonb_build_object('czasNaJakiUtworzonyZostalPodmiot', 'NIEOZNACZONY',
                    'informacjaOLiczbieUdzialow', 'WIĘKSZĄ LICZBĘ UDZIAŁÓW'),
                'kapital', jsonb_build_object('wysokoscKapitaluZakladowego',
                    jsonb_build_object('wartosc', (n % 90 + 5) || '000,00', 'waluta', 'PLN'), 'wniesioneAporty', '{{}}'::jsonb),
                'wspolnicySpzoo', jsonb_build_array(jsonb_build_object(
                    'nazwisko', jsonb_build_object('nazwiskoICzlon', 'T******'), 'imiona', jsonb_build_object('imie', 'A******'),
                    'identyfikator', jsonb_build_object('pesel', '9**********'), 'posiadaneUdzialy', '100 UDZIAŁÓW',
                    'czyPosiadaCaloscUdzialow', true))),
            'dzial2', jsonb_build_object('reprezentacja', jsonb_build_object(
                'nazwaOrganu', 'ZARZĄD', 'sposobReprezentacji', 'CZŁONEK ZARZĄDU SAMODZIELNIE.',
                'sklad', jsonb_build_array(jsonb_build_object(
                    'nazwisko', jsonb_build_object('nazwiskoICzlon', 'T******'), 'imiona', jsonb_build_object('imie', 'A******'),
                    'identyfikator', jsonb_build_object('pesel', '9**********'), 'funkcjaWOrganie', 'PREZES ZARZĄDU',
                    'czyZawieszona', false)))),
            'dzial3', jsonb_build_object(
                'przedmiotDzialalnosci', jsonb_build_object('przedmiotPrzewazajacejDzialalnosci', jsonb_build_array(
                    jsonb_build_object('opis', 'SPRZEDAŻ HURTOWA MEBLI, DYWANÓW I SPRZĘTU OŚWIETLENIOWEGO',
                        'kodDzial', '46', 'kodKlasa', '47', 'kodPodklasa', 'Z'))),
                'informacjaODniuKonczacymRokObrotowy', jsonb_build_object('dzienKonczacyPierwszyRokObrotowy', '31.12.2011')),
            'dzial4', '{{}}'::jsonb, 'dzial5', '{{}}'::jsonb, 'dzial6', '{{}}'::jsonb))) as _payload
from landing.company
