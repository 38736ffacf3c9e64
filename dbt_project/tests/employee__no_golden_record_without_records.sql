-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.employee_id from {{ ref('employee__candidate') }} as g
left join (select distinct employee_id from {{ ref('employee__candidate_crosswalk') }}) as x using (employee_id)
group by g.employee_id having count(x.employee_id) <> 1
