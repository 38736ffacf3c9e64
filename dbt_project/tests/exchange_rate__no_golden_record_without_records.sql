-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.exchange_rate_id from {{ ref('exchange_rate__candidate') }} as g
left join (select distinct exchange_rate_id from {{ ref('exchange_rate__candidate_crosswalk') }}) as x using (exchange_rate_id)
group by g.exchange_rate_id having count(x.exchange_rate_id) <> 1
