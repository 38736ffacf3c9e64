-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('<< name >>__member') }} as m
left join {{ ref('<< name >>__candidate_crosswalk') }} as x using (record)
left join {{ ref('<< name >>__candidate') }} as g using (<< name >>_id)
group by m.record having count(g.<< name >>_id) <> 1
