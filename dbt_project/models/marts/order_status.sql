-- How far each order has come: invoiced, and paid. Corrections count into what was invoiced.
with invoiced as (
    select order_number, count(*) filter (where corrects_invoice is null) as invoices
        , min(invoice_number) filter (where corrects_invoice is null) as invoice_number
        , min(issued_on) as invoiced_on, min(due_on) filter (where corrects_invoice is null) as due_on
        , sum(gross_amount) as gross
    from {{ source('conformed', 'invoice') }} where order_number is not null group by order_number
),
paid as (
    select i.order_number, sum(p.amount) as amount, max(p.paid_on) as paid_on
    from {{ source('conformed', 'payment') }} as p
    join {{ source('conformed', 'invoice') }} as i using (invoice_number)
    where p.status = 'paid' group by i.order_number
)
select o.order_id, o.order_number, o.customer_id, o.ordered_on, o.status as order_status, o.currency
    , o.net_amount as ordered_net, i.invoices, i.invoice_number, i.invoiced_on, i.due_on
    , i.gross as invoiced_gross, coalesce(p.amount, 0) as paid, p.paid_on
    , case when i.order_number is null then 'not invoiced' when i.gross <= 0 then 'returned'
        when coalesce(p.amount, 0) = 0 then case when i.due_on < current_date then 'overdue' else 'unpaid' end
        when p.amount < i.gross then 'paid in part' when p.amount > i.gross then 'overpaid' else 'paid' end as payment_status
from {{ source('conformed', 'order') }} as o
left join invoiced as i using (order_number)
left join paid as p using (order_number)
