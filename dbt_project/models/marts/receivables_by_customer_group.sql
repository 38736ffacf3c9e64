-- What groups of customers owe us, in PLN: by the customer's country and by whether we do business with it.
select c.country, c.status as customer_status, r.age
    , count(distinct r.customer_id) as customers, sum(r.invoices) as invoices
    , case when count(*) = count(r.owed_pln) then sum(r.owed_pln) end as owed_pln, sum(r.without_rate) as without_rate
from {{ ref('receivables') }} as r
left join {{ source('conformed', 'customer') }} as c using (customer_id)
group by 1, 2, 3
