-- Plain letters only, names in two fields of 40; 1 % lack every identifier: only name and address tell whose they are.
select lpad(n::text, 10, '0') as _key
    , '2026-0' || (3 + {version}) || '-' || day || 'T13:45:30' as _cursor
    , jsonb_build_object(
        'BusinessPartner', lpad(n::text, 10, '0'), 'BusinessPartnerCategory', '2', 'LegalForm', '01',
        'BusinessPartnerIsBlocked', n % 50 = 0, 'IsMarkedForArchiving', false,
        'OrganizationBPName1', btrim(left(ascii_name, 40)), 'OrganizationBPName2', btrim(substr(ascii_name, 41)),
        'CreationDate', '/Date(1492041600000)/',
        'LastChangeDate', '/Date(' || extract(epoch from ('2026-0' || (3 + {version}) || '-' || day)::timestamp)::bigint
            || '000)/',
        'LastChangeTime', 'PT13H45M30S',
        'to_BusinessPartnerAddress', jsonb_build_object('results', jsonb_build_array(jsonb_build_object(
            'StreetName', ascii_street, 'HouseNumber', house, 'HouseNumberSupplementText', coalesce(flat, ''),
            'PostalCode', postal_code, 'CityName', ascii_city, 'Country', 'PL',
            'to_EmailAddress', jsonb_build_object('results',
                case when n % 3 = 0 then '[]' else jsonb_build_array(jsonb_build_object('EmailAddress', email)) end),
            'to_PhoneNumber', jsonb_build_object('results', jsonb_build_array(jsonb_build_object('PhoneNumber',
                case when {version} = 0 then phone else '6' || substr(phone, 2) end)))))),
        'to_BusinessPartnerTax', jsonb_build_object('results', case when n % 100 = 50 then '[]' else jsonb_build_array(
            jsonb_build_object('BPTaxType', 'PL0', 'BPTaxNumber', 'PL' || tax_id),
            jsonb_build_object('BPTaxType', 'PL1', 'BPTaxNumber', tax_id),
            jsonb_build_object('BPTaxType', 'PL3', 'BPTaxNumber', regon)) end)
    ) as _payload
from landing.company
