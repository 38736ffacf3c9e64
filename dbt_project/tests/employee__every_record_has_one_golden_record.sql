-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('employee__member') }} as m
left join {{ ref('employee__candidate_crosswalk') }} as x using (record)
left join {{ ref('employee__candidate') }} as g using (employee_id)
group by m.record having count(g.employee_id) <> 1
