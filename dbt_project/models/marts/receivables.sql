-- What customers owe us by how long it is overdue, in PLN. A correction belongs to the invoice that it corrects; one of
-- several invoices stands for itself. A payment names an invoice's number only: where two documents have it, the one issued
-- first is paid. What an invoice says had been paid before counts where no payment says more.
with invoiced as (
    select coalesce(corrects_invoice, invoice_number) as invoice_number
        , customer_tax_id, max(customer_name) as customer_name, max(currency) as currency
        , max(due_on) filter (where corrects_invoice is null) as due_on
        , max(issued_on) filter (where corrects_invoice is null) as issued_on
        , sum(coalesce(amount_due, gross_amount)) as gross, sum(prepaid_amount) as prepaid
    from (
        select invoice_number, customer_tax_id, customer_name, currency, due_on, issued_on, amount_due, gross_amount, prepaid_amount
            , case when coalesce(corrected_invoices, 1) = 1 then corrects_invoice end as corrects_invoice
        from {{ source('conformed', 'invoice_unmasked') }}
    ) as document
    group by 1, customer_tax_id
),
paid as (
    select invoice_number, sum(amount) as amount from {{ source('conformed', 'payment') }}
    where status in ('paid', 'refunded') group by invoice_number
),
due as (
    select *, (now() at time zone 'Europe/Warsaw')::date - due_on as days_late
    from (
        select i.*, i.gross - coalesce(greatest(case when row_number() over (
            partition by i.invoice_number order by i.issued_on, i.customer_tax_id) = 1 then p.amount end, i.prepaid), 0) as owed
        from invoiced as i left join paid as p using (invoice_number)
    ) as rest
    where owed <> 0
)
select c.customer_id
    , {{ unless_person('coalesce(c.legal_name, d.customer_tax_id)', 'coalesce(c.legal_name, d.customer_name)', 'c.krs') }} as customer
    , {{ unless_person('d.customer_tax_id', 'coalesce(c.legal_name, d.customer_name)', 'c.krs') }} as customer_tax_id
    , case when d.due_on is null then 'no due day' when d.days_late <= 0 then 'not due' when d.days_late <= 30 then '1-30 days'
        when d.days_late <= 60 then '31-60 days' when d.days_late <= 90 then '61-90 days' else 'over 90 days' end as age
    , count(*) as invoices
    , {{ sum_in_pln('d.owed', 'r.rate') }} as owed_pln
    , count(*) filter (where r.rate is null) as without_rate
    , min(d.due_on) as oldest_due_on
from due as d
left join {{ source('conformed', 'customer_unmasked') }} as c on c.tax_id_pl = d.customer_tax_id
left join {{ ref('rate_to_pln') }} as r
    on r.currency = d.currency and d.issued_on >= r.valid_from and (d.issued_on <= r.valid_to or r.valid_to is null)
group by 1, 2, 3, 4
