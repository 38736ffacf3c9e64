-- What groups of customers owe us, in PLN: by the customer's country and by whether we do business with it.
select c.country, c.status as customer_status, r.age
    , count(distinct r.customer_id) as customers, sum(r.invoices) as invoices, sum(r.owed_pln) as owed_pln
from {{ ref('receivables') }} as r
left join {{ source('conformed', 'customer') }} as c using (customer_id)
group by 1, 2, 3
