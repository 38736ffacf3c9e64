-- Of the accounts 10 % lack the tax id, 30 % the REGON and 40 % the register number; people write all of them as they like.
select '0015g' || lpad(n::text, 13, '0') as _key
    , '2026-0' || (3 + {version}) || '-' || day || 'T10:11:12.000+0000' as _cursor
    , jsonb_build_object(
        'attributes', jsonb_build_object('type', 'Account', 'url', '/services/data/v60.0/sobjects/Account/0015g' || n),
        'Id', '0015g' || lpad(n::text, 13, '0'),
        'Name', case when n % 4 = 0 then upper(stem) || ' ' || long_form else stem || ' ' || short_form end,
        'Status__c', (array['Active', 'Active', 'Inactive', 'Prospect'])[(n + {version}) % 4 + 1],
        'IsDeleted', false,
        'NIP__c', case when n % 20 in (2, 5) then null when n % 3 = 0 then tax_id when n % 3 = 1 then 'PL' || tax_id
            else substr(tax_id, 1, 3) || '-' || substr(tax_id, 4, 3) || '-' || substr(tax_id, 7, 2) || '-' || substr(tax_id, 9)
            end,
        'REGON__c', case when n % 10 >= 3 then regon end,
        'KRS__c', case when n % 5 < 2 then null when n % 5 = 2 then ltrim(krs, '0') when n % 5 = 3 then 'KRS ' || krs else krs end,
        'Email__c', case when n % 7 <> 0 then case when n % 2 = 0 then upper(email) else email end end,
        'Phone', (array['+48 ' || phone, '0048' || phone, '(' || left(phone, 2) || ') ' || substr(phone, 3, 3) || '-'
            || substr(phone, 6, 2) || '-' || substr(phone, 8)])[n % 3 + 1],
        'BillingStreet', (array['ul. ', '', 'Ul.'])[n % 3 + 1] || street || ' '
            || house || coalesce(case when n % 2 = 0 then ' m. ' else '/' end || flat, ''),
        'BillingCity', case when n % 5 = 0 then upper(city) else city end,
        'BillingPostalCode', postal_code,
        'BillingCountry', (array['Polska', 'Poland', 'PL'])[n % 3 + 1],
        'CreditLimit__c', (n % 500 + {version}) * 1000.5,
        'CurrencyIsoCode', 'PLN',
        'CreatedDate', '2024-03-01T10:11:12.000+0000',
        'LastModifiedDate', '2026-0' || (3 + {version}) || '-' || day || 'T10:11:12.000+0000',
        'SystemModstamp', '2026-0' || (3 + {version}) || '-' || day || 'T10:11:12.000+0000'
    ) as _payload
from landing.company
