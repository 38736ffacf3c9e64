-- What DaneSzukajPodmioty answers; names in capitals, the rest in the usual spelling.
select regon || '|6' as _key
    , null::text as _cursor
    , jsonb_build_object(
        'Regon', regon, 'SilosID', '6', 'Nip', tax_id, 'StatusNip', '', 'Nazwa', upper(stem) || ' ' || long_form, 'Typ', 'P',
        'Wojewodztwo', 'MAZOWIECKIE', 'Powiat', 'm. ' || city, 'Gmina', city, 'Miejscowosc', city,
        'KodPocztowy', replace(postal_code, '-', ''), 'MiejscowoscPoczty', city,
        'Ulica', 'ul. ' || street, 'NrNieruchomosci', house, 'NrLokalu', coalesce(flat, ''),
        'DataZakonczeniaDzialalnosci', case when n % 40 = 0 or {version} = 1 then '2025-03-31' else '' end
    ) as _payload
from landing.company
