-- How many people work in each department at the end of each month, how many came and how many left in it. The department is
-- that of the time, by the job history; where HR keeps none, the present one.
with months as (
    select month::date as month, (month + interval '1 month - 1 day')::date as last_day
    from generate_series(
        (select date_trunc('month', min(hired_on)) from {{ source('conformed', 'employee') }}),
        date_trunc('month', now() at time zone 'Europe/Warsaw'), interval '1 month') as month
)
select m.month, coalesce(h.department, e.department) as department
    , count(*) filter (where e.hired_on <= m.last_day and (e.left_on is null or e.left_on > m.last_day)) as headcount
    , count(*) filter (where e.hired_on between m.month and m.last_day) as joined
    , count(*) filter (where e.left_on between m.month and m.last_day) as departed
from months as m
join {{ source('conformed', 'employee') }} as e on e.hired_on <= m.last_day
left join lateral (
    select history.department from {{ ref('employee_history') }} as history
    where history.employee_id = e.employee_id and history.valid_from <= m.last_day
    order by history.valid_from desc limit 1
) as h on true
group by m.month, coalesce(h.department, e.department)
