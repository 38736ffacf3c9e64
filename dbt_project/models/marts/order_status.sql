-- How far each order has come: invoiced, and paid. Corrections count into what was invoiced.
-- An invoice names its order by our number or by the customer's, which two customers may have chosen alike: then it belongs to
-- the order of the customer whose tax number it has.
with orders as (
    select o.order_id, o.order_number, o.customer_order_number, o.ordered_on, o.customer_id, c.tax_id_pl as tax_id
    from {{ source('conformed', 'order') }} as o left join {{ source('conformed', 'customer_unmasked') }} as c using (customer_id)
),
numbered as (
    select order_id, order_number from orders
    union
    select order_id, customer_order_number from orders
),
candidate as (
    select i.invoice_id, o.order_id, o.ordered_on
        , coalesce(o.tax_id = i.customer_tax_id, false) or coalesce(o.customer_id = i.customer_id, false) as same_customer
        , count(*) over (partition by i.invoice_id) as candidates
    from {{ source('conformed', 'invoice_unmasked') }} as i
    join numbered as n using (order_number)
    join orders as o on o.order_id = n.order_id
    where o.tax_id is null or i.customer_tax_id is null or o.tax_id = i.customer_tax_id
),
document as (
    select distinct on (c.invoice_id) c.order_id, i.*
    from candidate as c join {{ source('conformed', 'invoice_unmasked') }} as i using (invoice_id)
    where c.same_customer or c.candidates = 1
    order by c.invoice_id, c.same_customer desc, c.ordered_on <= i.issued_on desc, c.ordered_on desc, c.order_id
),
invoiced as (
    select order_id, count(*) filter (where corrects_invoice is null) as invoices
        , min(invoice_number) filter (where corrects_invoice is null) as invoice_number
        , min(issued_on) as invoiced_on, min(due_on) filter (where corrects_invoice is null) as due_on
        , sum(gross_amount) as gross
    from document group by order_id
),
paid as (
    select d.order_id, sum(p.amount) as amount, max(p.paid_on) as paid_on
    from {{ source('conformed', 'payment') }} as p
    join document as d on d.invoice_number = p.invoice_number and d.corrects_invoice is null
    where p.status in ('paid', 'refunded') group by d.order_id
)
select o.order_id, o.order_number, o.customer_order_number, o.customer_id, o.ordered_on, o.status as order_status, o.currency
    , o.net_amount as ordered_net, i.invoices, i.invoice_number, i.invoiced_on, i.due_on
    , i.gross as invoiced_gross, coalesce(p.amount, 0) as paid, p.paid_on
    , case when i.order_id is null then 'not invoiced' when i.gross <= 0 then 'returned'
        when coalesce(p.amount, 0) = 0 then case when i.due_on < (now() at time zone 'Europe/Warsaw')::date then 'overdue' else 'unpaid' end
        when p.amount < i.gross then 'paid in part' when p.amount > i.gross then 'overpaid' else 'paid' end as payment_status
from {{ source('conformed', 'order') }} as o
left join invoiced as i using (order_id)
left join paid as p using (order_id)
