-- What each project spent on AI providers in each month: tokens, requests and money, which are billed apart.
select date_trunc('month', used_on)::date as month, provider, project
    , sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens, sum(requests) as requests
    , sum(cost) as cost, max(cost_currency) as currency
from {{ source('conformed', 'llm_usage') }}
group by 1, 2, 3
