-- Where and as what each employee worked, and from when until when: valid_from <= day and (valid_to is null or day < valid_to).
with job as (
    -- of several rows of one day the one that was entered last counts
    select distinct on (employee_id, valid_from) employee_id, valid_from, department, division, location, job_title
    from {{ source('conformed', 'employee_job') }}
    where employee_id is not null and valid_from is not null
    order by employee_id, valid_from, length(job_key) desc, job_key desc
)
select j.employee_id, j.valid_from
    , least(lead(j.valid_from) over (partition by j.employee_id order by j.valid_from),
        case when e.left_on is not null then greatest(e.left_on + 1, j.valid_from) end) as valid_to
    , j.department, j.division, j.location, j.job_title
from job as j join {{ source('conformed', 'employee') }} as e using (employee_id)
