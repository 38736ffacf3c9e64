-- What one unit of each currency is worth in PLN for a document of a day: NBP's mid rate of the last table before it.
-- valid_from and valid_to are both inside; the newest rate has no end.
select currency, effective_on + 1 as valid_from
    , lead(effective_on) over (partition by currency order by effective_on) as valid_to
    , rate
from {{ source('conformed', 'exchange_rate') }}
where rate_table = 'A'
union all
select 'PLN', date '0001-01-01', null, 1
