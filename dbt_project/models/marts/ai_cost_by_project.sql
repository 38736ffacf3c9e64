-- What each project spent on AI providers in each month: tokens, requests and money, which are billed apart; in PLN by the
-- rate of the day of use.
select date_trunc('month', u.used_on)::date as month, u.provider, u.project
    , sum(u.input_tokens) as input_tokens, sum(u.output_tokens) as output_tokens, sum(u.requests) as requests
    , sum(u.cost) as cost, max(u.cost_currency) as currency
    , case when count(u.cost) = count(u.cost * r.rate) then round(sum(u.cost * r.rate), 2) end as cost_pln
from {{ source('conformed', 'llm_usage') }} as u
left join {{ ref('rate_to_pln') }} as r
    on r.currency = u.cost_currency and u.used_on >= r.valid_from and (u.used_on <= r.valid_to or r.valid_to is null)
group by 1, 2, 3
