-- What each integration costs, by month, stream and kind of use; prices are those of catalog/prices.yaml.
select c.month, c.system, c.stream, c.kind, c.quantity, c.amount, c.currency, c.unpriced, c.days
from {{ source('ops', 'cost_month') }} as c
