-- Net revenue by the month of the document and its currency, with its worth in PLN; corrections count in their own month.
select date_trunc('month', i.issued_on)::date as month, i.currency
    , count(*) filter (where i.corrects_invoice is null) as invoices
    , count(*) filter (where i.corrects_invoice is not null) as corrections
    , sum(i.net_amount) as net, sum(i.gross_amount) as gross
    , {{ sum_in_pln('i.net_amount', 'r.rate') }} as net_pln
    , count(*) filter (where r.rate is null) as without_rate
from {{ source('conformed', 'invoice') }} as i
left join {{ ref('rate_to_pln') }} as r
    on r.currency = i.currency and i.issued_on >= r.valid_from and (i.issued_on <= r.valid_to or r.valid_to is null)
group by 1, 2
