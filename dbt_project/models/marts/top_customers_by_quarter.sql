-- What we invoiced each customer in each quarter, in PLN without tax, and the customer's place by that. Corrections count in
-- their own quarter. A buyer is the customer whose record the invoice names, else the one with the buyer's tax number.
with invoiced as (
    select date_trunc('quarter', i.issued_on)::date as quarter
        , coalesce(i.customer_id, c.customer_id) as customer_id
        , case when coalesce(i.customer_id, c.customer_id) is null
            then coalesce(i.customer_tax_id, i.customer_eu_vat, i.customer_name) end as buyer
        , i.customer_name, i.corrects_invoice, i.net_amount, r.rate
    from {{ source('conformed', 'invoice_unmasked') }} as i
    left join (
        select distinct on (tax_id_pl) tax_id_pl, customer_id from {{ source('conformed', 'customer_unmasked') }}
        where tax_id_pl is not null order by tax_id_pl, customer_id
    ) as c on c.tax_id_pl = i.customer_tax_id
    left join {{ ref('rate_to_pln') }} as r
        on r.currency = i.currency and i.issued_on >= r.valid_from and (i.issued_on <= r.valid_to or r.valid_to is null)
),
summed as (
    select quarter, customer_id, buyer, max(customer_name) as buyer_name
        , count(*) filter (where corrects_invoice is null) as invoices
        , {{ sum_in_pln('net_amount', 'rate') }} as net_pln
    from invoiced group by quarter, customer_id, buyer
)
select s.quarter, rank() over (partition by s.quarter order by s.net_pln desc nulls last) as place, s.customer_id
    , {{ unless_person('coalesce(c.legal_name, s.buyer_name, s.buyer)', 'coalesce(c.legal_name, s.buyer_name)', 'c.krs') }} as customer
    , s.invoices, s.net_pln
from summed as s left join {{ source('conformed', 'customer_unmasked') }} as c using (customer_id)
