-- Who a company is according to the registers, and when each of them was last asked. NULL is not known, never "no".
with asked as (
    select lookup_key
        , max(answered_at) filter (where system = 'krs') as krs_asked_at
        , max(answered_at) filter (where system = 'regon') as regon_asked_at
        , max(answered_at) filter (where system = 'white_list') as vat_asked_at
        , max(answered_at) filter (where system = 'vies') as vies_asked_at
        , max(answered_at) filter (where system = 'crbr') as owners_asked_at
    from {{ source('ops', 'lookup_cache') }} where outcome <> 'failed' group by lookup_key
),
owners as (
    select company_krs, count(*) as owners
        , count(*) filter (where ownership_reasons like '%senior_manager%') as senior_managers
    from {{ source('conformed', 'beneficial_owner') }} group by company_krs
)
select c.company_id, {{ unless_person('c.legal_name', 'c.legal_name', 'c.krs') }} as legal_name
    , {{ unless_person('c.tax_id_pl', 'c.legal_name', 'c.krs') }} as tax_id_pl
    , {{ unless_person('c.regon', 'c.legal_name', 'c.krs') }} as regon, c.krs, c.legal_form, c.status as registry_status
    , c.tax_id_status, c.share_capital, c.share_capital_currency, c.represented_by, c.representation
    , c.vat_status, c.eu_vat_valid, coalesce(cardinality(string_to_array(c.bank_accounts, ' ')), 0) as bank_accounts_confirmed
    , o.owners as beneficial_owners, o.senior_managers as owners_by_office, c.registered_on
    , k.krs_asked_at, t.regon_asked_at, t.vat_asked_at, coalesce(t.vies_asked_at, e.vies_asked_at) as vies_asked_at
    , coalesce(k.owners_asked_at, t.owners_asked_at) as owners_asked_at
from {{ source('conformed', 'company_unmasked') }} as c
left join owners as o on o.company_krs = c.krs
left join asked as k on k.lookup_key = c.krs
left join asked as t on t.lookup_key = c.tax_id_pl
left join asked as e on e.lookup_key = 'PL' || c.tax_id_pl
