-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped') }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own.
with disowned as materialized (
    select m.record, s.disowned from {{ ref('customer__strong') }} as s join {{ ref('customer__member') }} as m using (n)
    where s.torn and s.disowned <> '{}'
),
member as (
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('krs__customer') }} as m on m._record collate "C" = x.record
    left join disowned as d on d.record = x.record
    where x.system = 'krs'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('regon__customer') }} as m on m._record collate "C" = x.record
    left join disowned as d on d.record = x.record
    where x.system = 'regon'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('salesforce__customer') }} as m on m._record collate "C" = x.record
    left join disowned as d on d.record = x.record
    where x.system = 'salesforce'
    union all
    select x.customer_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , m.legal_name
        , case when 'tax_id_pl' = any (d.disowned) then null else m.tax_id_pl end as tax_id_pl
        , case when 'regon' = any (d.disowned) then null else m.regon end as regon
        , case when 'krs' = any (d.disowned) then null else m.krs end as krs
        , m.eu_vat
        , m.email
        , m.phone
        , m.street
        , m.postal_code
        , m.city
        , m.country
        , m.status
        , m.credit_limit
        , m.credit_limit_currency
        , m.registered_on
        , m.last_changed
    from {{ ref('customer__candidate_crosswalk') }} as x
    join {{ ref('sap__customer') }} as m on m._record collate "C" = x.record
    left join disowned as d on d.record = x.record
    where x.system = 'sap'
),
ranked as (
    select *
        , row_number() over (
            partition by customer_id order by case system when 'krs' then 1 when 'regon' then 2 when 'salesforce' then 3 when 'sap' then 4 else 5 end, last_changed desc nulls last, record)::int as p
        , jsonb_build_object('system', system, 'stream', stream, 'key', key,
            'load_id', _load_id, 'mapping_version', _mapping_version) as source
    from member
),
gathered as (
    select customer_id
        , array_agg(system order by p) as _system
        , array_agg(system || '.' || stream order by p) as _stream
        , array_agg(record order by p) as _record
        , array_agg(source order by p) as _source
        , max(_mapping_version) as _mapping_version
        , array_agg(legal_name order by p) as _v_legal_name
        , min(p) filter (where legal_name is not null) as _w_legal_name
        , array_agg(tax_id_pl order by p) as _v_tax_id_pl
        , min(p) filter (where tax_id_pl is not null) as _w_tax_id_pl
        , array_agg(regon order by p) as _v_regon
        , min(p) filter (where regon is not null) as _w_regon
        , array_agg(krs order by p) as _v_krs
        , min(p) filter (where krs is not null) as _w_krs
        , array_agg(eu_vat order by p) as _v_eu_vat
        , min(p) filter (where eu_vat is not null) as _w_eu_vat
        , array_agg(email order by p) as _v_email
        , min(case system when 'salesforce' then 1 when 'sap' then 2 when 'krs' then 3 else 4 end * 1048576 + p) filter (where email is not null) % 1048576 as _w_email
        , array_agg(phone order by p) as _v_phone
        , min(case system when 'salesforce' then 1 when 'sap' then 2 else 3 end * 1048576 + p) filter (where phone is not null) % 1048576 as _w_phone
        , array_agg(street order by p) as _v_street
        , min(p) filter (where street is not null) as _w_street
        , array_agg(postal_code order by p) as _v_postal_code
        , min(p) filter (where postal_code is not null) as _w_postal_code
        , array_agg(city order by p) as _v_city
        , min(p) filter (where city is not null) as _w_city
        , array_agg(country order by p) as _v_country
        , min(p) filter (where country is not null) as _w_country
        , array_agg(status order by p) as _v_status
        , min(case system when 'salesforce' then 1 when 'sap' then 2 when 'regon' then 3 else 4 end * 1048576 + p) filter (where status is not null) % 1048576 as _w_status
        , array_agg(credit_limit order by p) as _v_credit_limit
        , min(case system when 'salesforce' then 1 else 2 end * 1048576 + p) filter (where credit_limit is not null) % 1048576 as _w_credit_limit
        , array_agg(credit_limit_currency order by p) as _v_credit_limit_currency
        , min(case system when 'salesforce' then 1 else 2 end * 1048576 + p) filter (where credit_limit_currency is not null) % 1048576 as _w_credit_limit_currency
        , array_agg(registered_on order by p) as _v_registered_on
        , min(p) filter (where registered_on is not null) as _w_registered_on
        , array_agg(last_changed order by p) as _v_last_changed
        , (array_agg(p order by last_changed desc, p) filter (where last_changed is not null))[1] as _w_last_changed
    from ranked
    group by customer_id
)
select customer_id
    , _v_legal_name[_w_legal_name] as legal_name
    , _v_tax_id_pl[_w_tax_id_pl] as tax_id_pl
    , _v_regon[_w_regon] as regon
    , _v_krs[_w_krs] as krs
    , _v_eu_vat[_w_eu_vat] as eu_vat
    , _v_email[_w_email] as email
    , _v_phone[_w_phone] as phone
    , _v_street[_w_street] as street
    , _v_postal_code[_w_postal_code] as postal_code
    , _v_city[_w_city] as city
    , _v_country[_w_country] as country
    , _v_status[_w_status] as status
    , _v_credit_limit[_w_credit_limit] as credit_limit
    , _v_credit_limit_currency[_w_credit_limit_currency] as credit_limit_currency
    , _v_registered_on[_w_registered_on] as registered_on
    , _v_last_changed[_w_last_changed] as last_changed
    , _system[1] as source_of_truth
    , (select array_agg(distinct s order by s) from unnest(_system) as s) as _systems
    , cardinality(_record) as _records
    , jsonb_strip_nulls(jsonb_build_object(
        'legal_name', case when _w_legal_name is not null then _source[_w_legal_name] || case _stream[_w_legal_name]
            when 'krs.extract' then '{"field": "nazwa", "transform": "company_name"}'::jsonb
            when 'regon.entity' then '{"field": "Nazwa", "transform": "company_name"}'::jsonb
            when 'salesforce.account' then '{"field": "Name", "transform": "company_name"}'::jsonb
            when 'sap.business_partner' then '{"field": ["OrganizationBPName1", "OrganizationBPName2"], "transform": "company_name"}'::jsonb
        end end,
        'tax_id_pl', case when _w_tax_id_pl is not null then _source[_w_tax_id_pl] || case _stream[_w_tax_id_pl]
            when 'krs.extract' then '{"field": "nip", "transform": "nip"}'::jsonb
            when 'regon.entity' then '{"field": "Nip", "transform": "nip"}'::jsonb
            when 'salesforce.account' then '{"field": "NIP__c", "transform": "nip"}'::jsonb
            when 'sap.business_partner' then '{"field": "nip", "transform": "nip"}'::jsonb
        end end,
        'regon', case when _w_regon is not null then _source[_w_regon] || case _stream[_w_regon]
            when 'krs.extract' then '{"field": "regon", "transform": "regon"}'::jsonb
            when 'regon.entity' then '{"field": "Regon", "transform": "regon"}'::jsonb
            when 'salesforce.account' then '{"field": "REGON__c", "transform": "regon"}'::jsonb
            when 'sap.business_partner' then '{"field": "regon", "transform": "regon"}'::jsonb
        end end,
        'krs', case when _w_krs is not null then _source[_w_krs] || case _stream[_w_krs]
            when 'krs.extract' then '{"field": "numerKRS", "transform": "krs"}'::jsonb
            when 'salesforce.account' then '{"field": "KRS__c", "transform": "krs"}'::jsonb
        end end,
        'eu_vat', case when _w_eu_vat is not null then _source[_w_eu_vat] || case _stream[_w_eu_vat]
            when 'sap.business_partner' then '{"field": "eu_vat", "transform": "eu_vat"}'::jsonb
        end end,
        'email', case when _w_email is not null then _source[_w_email] || case _stream[_w_email]
            when 'krs.extract' then '{"field": "adresPocztyElektronicznej", "transform": "email"}'::jsonb
            when 'salesforce.account' then '{"field": "Email__c", "transform": "email"}'::jsonb
            when 'sap.business_partner' then '{"field": "email", "transform": "email"}'::jsonb
        end end,
        'phone', case when _w_phone is not null then _source[_w_phone] || case _stream[_w_phone]
            when 'salesforce.account' then '{"field": "Phone", "transform": "phone_e164"}'::jsonb
            when 'sap.business_partner' then '{"field": "phone", "transform": "phone_e164"}'::jsonb
        end end,
        'street', case when _w_street is not null then _source[_w_street] || case _stream[_w_street]
            when 'krs.extract' then '{"field": ["ulica", "nrDomu", "nrLokalu"], "transform": "street"}'::jsonb
            when 'regon.entity' then '{"field": ["Ulica", "NrNieruchomosci", "NrLokalu"], "transform": "street"}'::jsonb
            when 'salesforce.account' then '{"field": "BillingStreet", "transform": "street"}'::jsonb
            when 'sap.business_partner' then '{"field": ["street", "house_number", "house_number_supplement"], "transform": "street"}'::jsonb
        end end,
        'postal_code', case when _w_postal_code is not null then _source[_w_postal_code] || case _stream[_w_postal_code]
            when 'krs.extract' then '{"field": "kodPocztowy", "transform": "postal_code_pl"}'::jsonb
            when 'regon.entity' then '{"field": "KodPocztowy", "transform": "postal_code_pl"}'::jsonb
            when 'salesforce.account' then '{"field": "BillingPostalCode", "transform": "postal_code_pl"}'::jsonb
            when 'sap.business_partner' then '{"field": "postal_code", "transform": "postal_code_pl"}'::jsonb
        end end,
        'city', case when _w_city is not null then _source[_w_city] || case _stream[_w_city]
            when 'krs.extract' then '{"field": "miejscowosc", "transform": "city"}'::jsonb
            when 'regon.entity' then '{"field": "Miejscowosc", "transform": "city"}'::jsonb
            when 'salesforce.account' then '{"field": "BillingCity", "transform": "city"}'::jsonb
            when 'sap.business_partner' then '{"field": "city", "transform": "city"}'::jsonb
        end end,
        'country', case when _w_country is not null then _source[_w_country] || case _stream[_w_country]
            when 'krs.extract' then '{"field": "kraj", "transform": "country_iso2"}'::jsonb
            when 'regon.entity' then '{"constant": "PL", "transform": "country_iso2"}'::jsonb
            when 'salesforce.account' then '{"field": "BillingCountry", "transform": "country_iso2"}'::jsonb
            when 'sap.business_partner' then '{"field": "country", "transform": "country_iso2"}'::jsonb
        end end,
        'status', case when _w_status is not null then _source[_w_status] || case _stream[_w_status]
            when 'regon.entity' then '{"field": "DataZakonczeniaDzialalnosci", "transform": "status_by_end_date"}'::jsonb
            when 'salesforce.account' then '{"field": "Status__c", "transform": "code"}'::jsonb
            when 'sap.business_partner' then '{"field": "BusinessPartnerIsBlocked", "transform": "code"}'::jsonb
        end end,
        'credit_limit', case when _w_credit_limit is not null then _source[_w_credit_limit] || case _stream[_w_credit_limit]
            when 'salesforce.account' then '{"field": "CreditLimit__c", "transform": "numeric"}'::jsonb
        end end,
        'credit_limit_currency', case when _w_credit_limit_currency is not null then _source[_w_credit_limit_currency] || case _stream[_w_credit_limit_currency]
            when 'salesforce.account' then '{"field": "CurrencyIsoCode", "transform": "currency_iso4217"}'::jsonb
        end end,
        'registered_on', case when _w_registered_on is not null then _source[_w_registered_on] || case _stream[_w_registered_on]
            when 'krs.extract' then '{"field": "dataRejestracjiWKRS", "transform": "date_pl"}'::jsonb
        end end,
        'last_changed', case when _w_last_changed is not null then _source[_w_last_changed] || case _stream[_w_last_changed]
            when 'krs.extract' then '{"field": "dataOstatniegoWpisu", "transform": "timestamp_pl"}'::jsonb
            when 'salesforce.account' then '{"field": "SystemModstamp", "transform": "timestamp_utc"}'::jsonb
            when 'sap.business_partner' then '{"field": ["LastChangeDate", "LastChangeTime"], "transform": "sap_date_time"}'::jsonb
        end end
    )) as _provenance
    , _mapping_version
    -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
    , md5(row(_record
        , _v_legal_name[_w_legal_name], _w_legal_name
        , _v_tax_id_pl[_w_tax_id_pl], _w_tax_id_pl
        , _v_regon[_w_regon], _w_regon
        , _v_krs[_w_krs], _w_krs
        , _v_eu_vat[_w_eu_vat], _w_eu_vat
        , _v_email[_w_email], _w_email
        , _v_phone[_w_phone], _w_phone
        , _v_street[_w_street], _w_street
        , _v_postal_code[_w_postal_code], _w_postal_code
        , _v_city[_w_city], _w_city
        , _v_country[_w_country], _w_country
        , _v_status[_w_status], _w_status
        , _v_credit_limit[_w_credit_limit], _w_credit_limit
        , _v_credit_limit_currency[_w_credit_limit_currency], _w_credit_limit_currency
        , _v_registered_on[_w_registered_on], _w_registered_on
        , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
    )::text) as _hash
from gathered
