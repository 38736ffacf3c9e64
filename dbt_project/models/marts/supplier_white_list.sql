-- What the register of VAT payers (the white list) says of each supplier and of the account to which we pay, and on which day
-- it was asked. NULL is not known, never "no".
with asked as (
    select distinct on (lookup_key) lookup_key, outcome, answered_at, proof from {{ source('ops', 'lookup_cache') }}
    where system = 'white_list' and outcome <> 'failed' order by lookup_key, answered_at desc
),
listed as (
    select distinct on (tax_id_pl) tax_id_pl, vat_status, string_to_array(bank_accounts, ' ') as accounts
    from {{ source('conformed', 'company_unmasked') }} where tax_id_pl is not null order by tax_id_pl, company_id
),
compared as (
    select s.supplier_id, s.legal_name, s.tax_id_pl, l.vat_status, a.answered_at, a.proof
        , case when a.answered_at is not null and s.iban is not null
            then coalesce(substr(s.iban, 3) = any (l.accounts) or s.iban = any (l.accounts), false) end as account_confirmed
    from {{ source('conformed', 'supplier_unmasked') }} as s
    left join asked as a on a.lookup_key = s.tax_id_pl
    left join listed as l on l.tax_id_pl = s.tax_id_pl
)
select supplier_id, {{ unless_person('legal_name', 'legal_name') }} as supplier
    , {{ unless_person('tax_id_pl', 'legal_name') }} as supplier_tax_id
    , vat_status, account_confirmed
    , case when answered_at is null then 'not asked' when vat_status is distinct from 'active' then 'not active'
        when account_confirmed is null then 'no account' when account_confirmed then 'confirmed' else 'account not listed' end as verdict
    , (answered_at at time zone 'Europe/Warsaw')::date as asked_on, answered_at as asked_at, proof as request_number
from compared
