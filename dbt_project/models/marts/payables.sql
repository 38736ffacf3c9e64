-- What we owe suppliers by how long it is overdue, in PLN. A correction belongs to the invoice that it corrects; one of
-- several invoices stands for itself. Entries of the books that say nothing of payment are left out: they have no amount_due.
with documents as (
    select supplier_id, supplier_tax_id, supplier_name, currency, invoice_number, due_on, issued_on, corrects
        , coalesce(amount_due, gross_amount) - coalesce(prepaid_amount, 0) as owed
        , coalesce(corrects_ksef, case when corrects is null then ksef_number end
            , concat_ws('|', supplier_tax_id, coalesce(corrects, invoice_number))) as invoice
    from (
        select *, case when coalesce(corrected_invoices, 1) > 1 then null else corrects_invoice end as corrects
            , case when coalesce(corrected_invoices, 1) > 1 then null else corrects_ksef_number end as corrects_ksef
        from {{ source('conformed', 'purchase_invoice_unmasked') }}
    ) as purchase
    where amount_due is not null
),
invoiced as (
    select invoice, currency, max(supplier_tax_id) as supplier_tax_id, max(supplier_name) as supplier_name
        , max(supplier_id::text)::uuid as supplier_id
        , max(invoice_number) filter (where corrects is null) as invoice_number
        , coalesce(max(due_on) filter (where corrects is null), max(due_on)) as due_on
        , coalesce(max(issued_on) filter (where corrects is null), max(issued_on)) as issued_on
        , sum(owed) as owed
    from documents group by invoice, currency
),
-- Transfers name the supplier's number, which two suppliers may have given: then nobody knows whose was paid.
paid as (
    select invoice_number, currency, -sum(amount) as amount from {{ source('conformed', 'payment') }}
    where status = 'paid' and amount < 0
        and invoice_number in (select invoice_number from invoiced group by invoice_number having count(*) = 1)
    group by invoice_number, currency
),
due as (
    select i.*, i.owed - coalesce(p.amount, 0) as rest, (now() at time zone 'Europe/Warsaw')::date - i.due_on as days_late
    from invoiced as i left join paid as p using (invoice_number, currency)
    where i.owed - coalesce(p.amount, 0) <> 0
)
select coalesce(d.supplier_id, s.supplier_id) as supplier_id
    , {{ unless_person('coalesce(s.legal_name, d.supplier_name, d.supplier_tax_id)', 'coalesce(s.legal_name, d.supplier_name)') }} as supplier
    , {{ unless_person('d.supplier_tax_id', 'coalesce(s.legal_name, d.supplier_name)') }} as supplier_tax_id
    , case when d.due_on is null then 'no due day' when d.days_late <= 0 then 'not due' when d.days_late <= 30 then '1-30 days'
        when d.days_late <= 60 then '31-60 days' when d.days_late <= 90 then '61-90 days' else 'over 90 days' end as age
    , count(*) as invoices
    , {{ sum_in_pln('d.rest', 'r.rate') }} as owed_pln
    , count(*) filter (where r.rate is null) as without_rate
    , min(d.due_on) as oldest_due_on
from due as d
left join {{ source('conformed', 'supplier_unmasked') }} as s
    on s.supplier_id = d.supplier_id or (d.supplier_id is null and s.tax_id_pl = d.supplier_tax_id)
left join {{ ref('rate_to_pln') }} as r
    on r.currency = d.currency and d.issued_on >= r.valid_from and (d.issued_on <= r.valid_to or r.valid_to is null)
group by 1, 2, 3, 4
